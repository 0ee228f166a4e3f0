#include "services/servicebus-svc/runner/post_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/base/error.h"

namespace skerry::servicebus {
namespace {

constexpr size_t kBatchEventsMax = 256;
constexpr size_t kBatchBytesMax = 1u << 20;
constexpr size_t kKeyBytesMax = 320;  // Of an event.

size_t SizeOf(const hubclient::Event& event) { return event.key.size() + event.value.size() + 64; }

}  // namespace

PostQueue::PostQueue(Options options, PutEvents put, Clock& clock, ServiceBusMetrics& metrics)
    : options_(std::move(options)), put_(std::move(put)), clock_(clock), metrics_(metrics) {}

void PostQueue::Put(const LocalPost& post, Done done) {
  v1::ServicePost message;
  message.set_target_url(post.target_url);
  message.set_content_type(post.content_type);
  message.set_payload(post.payload);
  hubclient::Event event{.time = clock_.Now(),
                         .key = post.target_url.substr(0, kKeyBytesMax),
                         .value = message.SerializeAsString()};
  const size_t size = SizeOf(event);
  bool taken = false;
  {
    absl::MutexLock lock(&mutex_);
    taken = size <= options_.bytes_max - bytes_;
    if (taken) {
      event.producer_sequence = ++sequence_;
      bytes_ += size;
      metrics_.posts_waiting_bytes.Set(static_cast<double>(bytes_));
      waiting_.push_back({std::move(event), std::move(done)});
    }
  }
  if (taken) return SendNext();
  done(Error(absl::StatusCode::kResourceExhausted,
             absl::StrCat("posts of ", options_.bytes_max,
                          " bytes wait for edgehub-svc: try again later"))
           .Reason("POSTS_BUSY"));
}

// One at a time, and in a loop: the hub may answer within the call.
void PostQueue::SendNext() {
  while (true) {
    hubclient::EventBatch batch{.stream = kStream, .producer = options_.producer};
    {
      absl::MutexLock lock(&mutex_);
      if (sending_ || sent_ > 0 || waiting_.empty()) return;
      sending_ = true;
      TakeBatch(batch);
    }
    put_(std::move(batch), [this](hubclient::EventsPut put) { Finish(std::move(put)); });
    absl::MutexLock lock(&mutex_);
    sending_ = false;
  }
}

void PostQueue::TakeBatch(hubclient::EventBatch& batch) {
  size_t bytes = 0;
  while (sent_ < waiting_.size() && sent_ < kBatchEventsMax) {
    bytes += SizeOf(waiting_[sent_].event);
    if (sent_ > 0 && bytes > kBatchBytesMax) return;
    batch.events.push_back(waiting_[sent_].event);
    ++sent_;
  }
}

void PostQueue::Finish(hubclient::EventsPut put) {
  std::vector<std::pair<Done, absl::Status>> told;
  {
    absl::MutexLock lock(&mutex_);
    const size_t stored = put.status.ok() ? sent_ : std::min(put.stored, sent_);
    // What the hub does not take ends: its sender waits. Those behind it are put again.
    const size_t ended = std::min(sent_, stored + (put.status.ok() ? 0 : 1));
    for (size_t i = 0; i < ended; ++i) {
      bytes_ -= SizeOf(waiting_.front().event);
      told.emplace_back(std::move(waiting_.front().done),
                        i < stored ? absl::OkStatus() : put.status);
      waiting_.pop_front();
    }
    sent_ = 0;
    metrics_.posts_waiting_bytes.Set(static_cast<double>(bytes_));
  }
  for (auto& [done, status] : told) done(status);
  SendNext();
}

}  // namespace skerry::servicebus
