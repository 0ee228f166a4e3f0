// Gives the broker what waits in the store, in order.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_PUBLISHER_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_PUBLISHER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::eventbus {

// At most 64 publications and 4 MiB are with the broker and not acknowledged. What is not when the
// connection ends is published again after the next one is there, as far as it is still in the
// store: the broker may get it twice, but nothing older after it, unless the broker itself refuses
// one of a topic and takes the next. All is on the executor, but Wake. What it is given outlives
// it.
class Publisher final {
 public:
  // OnPublished follows, or OnDisconnected.
  using Publish = std::function<absl::Status(uint64_t id, const Publication& publication)>;

  Publisher(Journal& journal, exec::SerialExecutor& executor, Publish publish, BusMetrics& metrics,
            log::Logger log);

  // Any thread: something is in the store.
  void Wake();

  // Any thread: to the broker now, or not at all. A publication of the cloud's does not wait: who
  // sent it is told how it ended, and it must not happen long after. `done` on the executor:
  // UNAVAILABLE / MQTT_DISCONNECTED; UNKNOWN / MQTT_OUTCOME_UNKNOWN where the connection ended
  // first; RESOURCE_EXHAUSTED / MQTT_BUSY beyond 64 of them.
  void PublishNow(Publication publication, absl::AnyInvocable<void(const absl::Status&)> done);

  void OnConnected();
  void OnDisconnected();
  void OnPublished(uint64_t id, const absl::Status& status);

 private:
  void Pump();
  void OnPage(uint64_t connection, absl::StatusOr<std::vector<WaitingPublication>> page);
  // The broker has it, or never will.
  void Done(uint64_t id);

  Journal& journal_;
  exec::SerialExecutor& executor_;
  const Publish publish_;
  BusMetrics& metrics_;
  const log::Logger log_;
  std::atomic<bool> woken_ = false;

  // On the executor.
  uint64_t connection_ = 0;  // Counts them.
  bool connected_ = false;
  bool reading_ = false;
  bool more_ = false;    // The store may have more than was read.
  bool retry_ = false;   // One failed: begin anew once the others have ended.
  uint64_t cursor_ = 0;  // The last that was read.
  std::deque<WaitingPublication> page_;
  std::map<uint64_t, size_t> in_flight_;  // Sizes by id.
  size_t in_flight_bytes_ = 0;
  std::map<uint64_t, absl::AnyInvocable<void(const absl::Status&)>> now_;  // By id.
  uint64_t last_now_ = 0;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_PUBLISHER_H_
