// Tells MQTT clients how twins change: documents, deltas, membership.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_ANNOUNCER_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_ANNOUNCER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/eventbus-svc/core/twin_changes.h"
#include "services/eventbus-svc/core/twin_values.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/heads.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

// All is on the executor. What it is given outlives it.
//
// A delta tells how a twin is: one that waits for the broker is replaced by the next, and taken
// back where nothing differs any more. So is a document: of several changes that the broker missed
// it shows the last. What was told is in the store with what tells it, so that a change that came
// while this service was away is told when it is back, and only then.
class Announcer final {
 public:
  struct Options {
    NodeName node;
    // Of last known twins. One that has no room gets no documents, as nobody knows what it was.
    size_t cache_bytes_max = 32 << 20;
    // After the disk did not take what was to be told; at once when it takes something again.
    absl::Duration retry = absl::Seconds(5);
  };
  // Asks twin-svc for the twin, and gives it to OnTwin.
  using Refetch = std::function<void(const DeviceName& device)>;

  Announcer(const Options& options, std::map<DeviceName, SeenTwin> seen, Journal& journal,
            exec::SerialExecutor& executor, const Heads& heads, Refetch refetch,
            BusMetrics& metrics, log::Logger log);

  void OnTwin(const DeviceName& device, const twin::v1::Twin& twin);
  // The watch named the device, and OnTwin follows later. False: it is not known, and can't wait.
  bool OnNamed(const DeviceName& device);
  void OnTwinDeleted(const DeviceName& device);
  void OnSynced();
  void OnConnected(bool connected);

  // Of a request that changed the twin: `result` and what follows from it.
  BusChange AfterWrite(const DeviceName& device, const twin::v1::Twin& before,
                       const twin::v1::Twin& after, const TwinWrite& write,
                       const std::string& event_id);
  // What AfterWrite gave was not stored.
  void OnNotStored(const DeviceName& device);

  // Everything that twin-svc has is known.
  bool synced() const { return synced_; }
  std::vector<DeviceSummary> devices() const;
  // Null where it is not known.
  const TwinProperties* Find(const DeviceName& device) const;

 private:
  struct Known {
    std::string uid;
    uint64_t version = 0;
    std::optional<TwinProperties> properties;  // None: no room.
    size_t bytes = 0;
    DeviceSummary summary;
    bool stale = false;     // Clients may not have been told of it.
    uint64_t snapshot = 0;  // The last that named it.
  };

  BusChange ChangeOf(const DeviceName& device, const twin::v1::Twin& twin,
                     const TwinProperties& current, const Known* known);
  void AddDocument(const DeviceName& device, const std::string& event_id,
                   const std::map<std::string, PropertyTransition>& transitions,
                   BusChange& change) const;
  void AddDelta(const DeviceName& device, const TwinProperties& twin, BusChange& change) const;
  void AddMembership(const DeviceName& device, bool added, BusChange& change) const;
  void Remember(const twin::v1::Twin& twin, TwinProperties properties, Known& known);
  void Forget(Known& known);
  void Submit(const DeviceName& device, BusChange change);
  void RetryLater();
  void RetryNext();
  void Show();

  const Options options_;
  Journal& journal_;
  exec::SerialExecutor& executor_;
  const Heads& heads_;
  const Refetch refetch_;
  BusMetrics& metrics_;
  const log::Logger log_;

  std::map<DeviceName, SeenTwin> seen_;  // From before this process; what is known leaves it.
  std::map<DeviceName, Known> known_;
  std::set<DeviceName> stale_;  // To be asked for again.
  bool retry_posted_ = false;
  size_t cached_bytes_ = 0;
  uint64_t snapshot_ = 0;
  bool synced_ = false;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_ANNOUNCER_H_
