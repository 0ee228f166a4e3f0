#include "services/lib/cloudspoke/hub_client.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "services/lib/rpc/bidi_client.h"

namespace skerry::cloudspoke {

using cloudhub::v1::HubFrame;
using cloudhub::v1::SpokeFrame;

HubClient::HubClient(Options options, std::shared_ptr<grpc::Channel> channel,
                     exec::SerialExecutor& executor, Events events, log::Logger log)
    : options_(std::move(options)),
      channel_(std::move(channel)),
      executor_(executor),
      events_(std::move(events)),
      log_(log.With({{"hub", options_.address}})),
      backoff_(options_.backoff_min) {}

HubClient::~HubClient() { Stop(); }

void HubClient::Start() {
  executor_.Post([this] { Dial(); });
}

void HubClient::Stop() {
  std::shared_ptr<rpc::Stream<SpokeFrame>> stream;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    stream = stream_;
  }
  if (stream != nullptr) stream->Close(absl::CancelledError("the controller is stopping"));
  // Dial may be at work: what is posted before this ran has run after it.
  executor_.Run([this] { executor_.Cancel(redial_); });
  {
    absl::MutexLock lock(&mutex_);
    if (stream_ != nullptr) stream_->Close(absl::CancelledError("the controller is stopping"));
    mutex_.Await(absl::Condition(
        +[](int* open) { return *open == 0; }, &open_streams_));
  }
  executor_.Run([] {});  // What the streams have posted.
}

bool HubClient::Send(SpokeFrame frame) {
  std::shared_ptr<rpc::Stream<SpokeFrame>> stream;
  {
    absl::MutexLock lock(&mutex_);
    stream = stream_;
  }
  return stream != nullptr && stream->Send(std::move(frame));
}

size_t HubClient::pending_bytes() const {
  absl::MutexLock lock(&mutex_);
  return stream_ == nullptr ? 0 : stream_->pending_bytes();
}

void HubClient::Dial() {
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    id = ++stream_id_;
    ++open_streams_;
  }
  // The stub may go after the call has begun.
  auto stub = cloudhub::v1::SpokeService::NewStub(channel_);
  rpc::StreamEvents<HubFrame> events;
  events.on_message = [this, id](HubFrame frame) {
    executor_.Post(
        [this, id, frame = std::make_shared<HubFrame>(std::move(frame))] { OnFrame(id, *frame); });
  };
  events.on_drained = [this, id] {
    executor_.Post([this, id] {
      {
        absl::MutexLock lock(&mutex_);
        if (stopping_ || id != stream_id_) return;
      }
      events_.on_drained();
    });
  };
  events.on_closed = [this, id](absl::Status status) {
    executor_.Post([this, id, status] { OnClosed(id, status); });
    absl::MutexLock lock(&mutex_);  // Last: Stop() may return now.
    --open_streams_;
  };
  auto stream = rpc::DialBidi<HubFrame, SpokeFrame>(
      [&stub](grpc::ClientContext* context,
              grpc::ClientBidiReactor<SpokeFrame, HubFrame>* reactor) {
        stub->async()->Attach(context, reactor);
      },
      {.pending_bytes_max = options_.pending_bytes_max,
       .unconsumed_max = options_.frames_in_work_max},
      std::move(events));
  SpokeFrame frame;
  frame.mutable_register_()->set_spoke(options_.spoke);
  frame.mutable_register_()->set_takes_following(true);
  for (const std::string& type : options_.resource_types)
    frame.mutable_register_()->add_resource_types(type);
  for (const std::string& type : options_.report_types)
    frame.mutable_register_()->add_report_types(type);
  for (const std::string& stream : options_.event_streams)
    frame.mutable_register_()->add_event_streams(stream);
  stream->Send(std::move(frame));
  absl::MutexLock lock(&mutex_);
  stream_ = std::move(stream);
}

void HubClient::OnFrame(uint64_t stream_id, const HubFrame& frame) {
  std::shared_ptr<rpc::Stream<SpokeFrame>> stream;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || stream_id != stream_id_) return;
    stream = stream_;
  }
  if (frame.has_registered()) {
    log_.Info("attached to hub", {{"replica", frame.registered().hub()}});
    if (frame.registered().takes_following()) stream->SendBundles();
    attached_ = true;
    reported_loss_ = false;
    backoff_ = options_.backoff_min;
    events_.on_attached();
  } else {
    events_.on_frame(frame);
  }
  stream->Consumed();
}

void HubClient::OnClosed(uint64_t stream_id, const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || stream_id != stream_id_) return;
    stream_ = nullptr;
  }
  if (!reported_loss_) log_.Warning("hub is out of reach, will retry", status);
  reported_loss_ = true;  // Once for each outage.
  if (std::exchange(attached_, false)) events_.on_lost(status);
  thread_local absl::BitGen random;
  const absl::Duration delay = backoff_ * absl::Uniform(random, 0.0, 1.0);
  backoff_ = std::min(backoff_ * 2, options_.backoff_max);
  redial_ = executor_.PostAfter(delay, [this] { Dial(); });
}

}  // namespace skerry::cloudspoke
