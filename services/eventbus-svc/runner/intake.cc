#include "services/eventbus-svc/runner/intake.h"

#include <memory>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "services/eventbus-svc/core/twin_request.h"
#include "services/eventbus-svc/core/user_messages.h"

namespace skerry::eventbus {
namespace {

constexpr size_t kRequestBytes = 512;  // What one costs besides its payload, roughly.

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

// Shared by who waits for the disk and the disk, whichever is longer.
struct Stored {
  absl::Mutex mutex;
  bool done ABSL_GUARDED_BY(mutex) = false;
};

}  // namespace

Intake::Intake(const Options& options, Journal& journal, Sink sink, Clock& clock,
               BusMetrics& metrics, log::Logger log)
    : options_(options),
      journal_(journal),
      sink_(std::move(sink)),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)) {}

void Intake::OnMessage(std::string topic, std::string payload, size_t size_bytes, bool retained) {
  if (retained) return metrics_.refused_retained.Increment();
  absl::StatusOr<IncomingTopic> parsed = ParseTopic(topic);
  if (!parsed.ok()) {
    log_.Debug("a message with a bad topic is ignored");
    return metrics_.refused_topic.Increment();
  }
  // What is parsed of a payload that is too large is enough to answer it.
  if (size_bytes > kPayloadBytesMax) metrics_.refused_size.Increment();
  std::visit(Overloaded{
                 [&](TwinUpdateTopic& request) {
                   metrics_.received_twin_update.Increment();
                   OnRequest(std::move(request), std::move(payload));
                 },
                 [&](TwinGetTopic& request) {
                   metrics_.received_twin_get.Increment();
                   OnRequest(std::move(request), std::move(payload));
                 },
                 [&](StateUpdateTopic& request) {
                   metrics_.received_state_update.Increment();
                   OnRequest(std::move(request), std::move(payload));
                 },
                 [&](MembershipGetTopic& request) {
                   if (request.node != options_.node) return metrics_.refused_topic.Increment();
                   metrics_.received_membership_get.Increment();
                   OnRequest(std::move(request), std::move(payload));
                 },
                 // All that is left was asked for by a filter: KubeEdge's, or a setting's.
                 [&](auto&) {
                   metrics_.received_user.Increment();
                   OnUserMessage(std::move(topic), std::move(payload), size_bytes);
                 },
             },
             *parsed);
}

void Intake::OnRequest(RequestTopic topic, std::string payload) {
  const size_t bytes = payload.size() + kRequestBytes;
  if (!Acquire(bytes)) return metrics_.refused_busy.Increment();
  sink_({std::move(topic), std::move(payload), clock_.Monotonic(), bytes});
}

bool Intake::Acquire(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  const auto room = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return closed_ || bytes_ + bytes <= options_.requests_bytes_max;
  };
  clock_.AwaitUntil(mutex_, absl::Condition(&room), clock_.Monotonic() + options_.patience);
  if (closed_ || bytes_ + bytes > options_.requests_bytes_max) return false;
  bytes_ += bytes;
  metrics_.requests_waiting_bytes.Set(static_cast<double>(bytes_));
  return true;
}

void Intake::Release(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  bytes_ -= bytes;
  metrics_.requests_waiting_bytes.Set(static_cast<double>(bytes_));
}

void Intake::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

void Intake::OnUserMessage(std::string topic, std::string payload, size_t size_bytes) {
  if (const absl::Status fits = CheckUserMessage(topic, size_bytes); !fits.ok()) {
    if (size_bytes <= kPayloadBytesMax) metrics_.refused_size.Increment();
    return log_.Debug("a user message that is too large is ignored");
  }
  auto stored = std::make_shared<Stored>();
  BusChange change;
  change.receive.push_back({std::move(topic), std::move(payload), clock_.Now()});
  journal_.Submit(std::move(change), [this, stored](const absl::Status& status) {
    if (!status.ok()) metrics_.refused_store.Increment();
    absl::MutexLock lock(&stored->mutex);
    stored->done = true;
  });
  absl::MutexLock lock(&stored->mutex);
  clock_.AwaitUntil(stored->mutex, absl::Condition(&stored->done),
                    clock_.Monotonic() + options_.patience);
}

}  // namespace skerry::eventbus
