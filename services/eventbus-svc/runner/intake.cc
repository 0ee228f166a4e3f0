#include "services/eventbus-svc/runner/intake.h"

#include <memory>
#include <optional>
#include <type_traits>
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

std::optional<RequestTopic> RequestTopicOf(absl::string_view name) {
  absl::StatusOr<IncomingTopic> parsed = ParseTopic(name);
  if (!parsed.ok()) return std::nullopt;
  return std::visit(
      [](auto& topic) -> std::optional<RequestTopic> {
        if constexpr (std::is_constructible_v<RequestTopic, decltype(topic)>) {
          return std::move(topic);
        } else {
          return std::nullopt;
        }
      },
      *parsed);
}

}  // namespace

Intake::Intake(const Options& options, Journal& journal, RequestLog& requests, NewId new_id,
               Sink sink, Clock& clock, BusMetrics& metrics, log::Logger log)
    : options_(options),
      journal_(journal),
      requests_(requests),
      new_id_(std::move(new_id)),
      sink_(std::move(sink)),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)) {}

void Intake::Resume() {
  absl::MutexLock lock(&mutex_);
  in_log_ = true;
  metrics_.requests_resumed.Increment(static_cast<double>(requests_.waiting()));
  Refill();
}

void Intake::Refill() {
  const absl::StatusOr<std::vector<RequestLog::Entry>> entries =
      requests_.Read(passed_, options_.requests_bytes_max - bytes_);
  if (!entries.ok()) {  // Whoever is next, to ask or to be answered, tries again.
    return log_.Error("requests that wait can't be read", entries.status());
  }
  in_log_ = !entries->empty();
  for (const RequestLog::Entry& entry : *entries) {
    passed_ = entry.sequence;
    std::optional<RequestTopic> topic = RequestTopicOf(entry.topic);
    if (!topic.has_value()) {  // Nothing else is ever logged.
      requests_.Done(entry.sequence);
      continue;
    }
    Pass({.topic = *std::move(topic),
          .payload = entry.payload,
          .arrived = clock_.Monotonic(),
          .write_id = entry.write_id,
          .sequence = entry.sequence,
          .bytes = entry.payload.size() + kRequestBytes});
  }
}

void Intake::RefillIfThereIsRoom() {
  if (in_log_ && !closed_ && bytes_ <= options_.requests_bytes_max / 2) Refill();
}

void Intake::Pass(Request request) {
  bytes_ += request.bytes;
  Show();
  sink_(std::move(request));
}

void Intake::Show() { metrics_.requests_waiting_bytes.Set(static_cast<double>(bytes_)); }

void Intake::OnMessage(std::string topic, std::string payload, size_t size_bytes, bool retained,
                       const Delivery& delivery) {
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
                   OnRequest(std::move(request), topic, std::move(payload), delivery);
                 },
                 [&](TwinGetTopic& request) {
                   metrics_.received_twin_get.Increment();
                   OnRequest(std::move(request), topic, std::move(payload), delivery);
                 },
                 [&](StateUpdateTopic& request) {
                   metrics_.received_state_update.Increment();
                   OnRequest(std::move(request), topic, std::move(payload), delivery);
                 },
                 [&](MembershipGetTopic& request) {
                   if (request.node != options_.node) return metrics_.refused_topic.Increment();
                   metrics_.received_membership_get.Increment();
                   OnRequest(std::move(request), topic, std::move(payload), delivery);
                 },
                 // All that is left was asked for by a filter: KubeEdge's, or a setting's.
                 [&](auto&) {
                   metrics_.received_user.Increment();
                   OnUserMessage(std::move(topic), std::move(payload), size_bytes, delivery);
                 },
             },
             *parsed);
}

void Intake::OnRequest(RequestTopic topic, const std::string& name, std::string payload,
                       const Delivery& delivery) {
  Request request{.topic = std::move(topic),
                  .arrived = clock_.Monotonic(),
                  .write_id = new_id_(),
                  .bytes = payload.size() + kRequestBytes};
  absl::MutexLock lock(&mutex_);
  const absl::StatusOr<int64_t> sequence = requests_.Add(name, payload, request.write_id, delivery);
  if (sequence.ok() && *sequence == 0) return metrics_.repeated.Increment();
  const bool room = !closed_ && !in_log_ && bytes_ + request.bytes <= options_.requests_bytes_max;
  if (sequence.ok() && !room) {
    in_log_ = true;
    metrics_.requests_deferred.Increment();
    return RefillIfThereIsRoom();
  }
  if (!room) return metrics_.refused_busy.Increment();
  if (sequence.ok()) {
    passed_ = request.sequence = *sequence;
  } else {
    metrics_.requests_unlogged.Increment();
    if (!std::exchange(complained_, true)) {
      log_.Error("the disk takes no requests: a crash would lose them", sequence.status());
    }
  }
  request.payload = std::move(payload);
  Pass(std::move(request));
}

void Intake::Release(const Request& request) {
  if (request.sequence != 0) requests_.Done(request.sequence);
  absl::MutexLock lock(&mutex_);
  bytes_ -= request.bytes;
  Show();
  RefillIfThereIsRoom();
}

void Intake::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

void Intake::OnUserMessage(std::string topic, std::string payload, size_t size_bytes,
                           const Delivery& delivery) {
  if (const absl::Status fits = CheckUserMessage(topic, size_bytes); !fits.ok()) {
    if (size_bytes <= kPayloadBytesMax) metrics_.refused_size.Increment();
    return log_.Debug("a user message that is too large is ignored");
  }
  auto stored = std::make_shared<Stored>();
  BusChange change;
  change.receive.push_back({std::move(topic), std::move(payload), clock_.Now(), delivery});
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
