// The twins of this box in memory and on disk: takes writes, commits them in groups, tells
// watchers.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_DESK_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_DESK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/twin_drafts.h"
#include "services/twin-svc/store/twin_store.h"

namespace skerry::twin {

// What a device's model says of its properties, by name. Shared by all devices of a model.
using Models = std::map<std::string, device::PropertyModel>;

// Any thread may call it; `done` and the observer not to wait for it. Store, clock and metrics
// outlive it. All that is stored goes through one thread, which takes what waits as one commit: an
// answer says that the write survives a loss of power. Of declarations of a device, the newest
// waits; writes that came between two of them keep their place, and are bounded by bytes.
class TwinDesk {
 public:
  struct Bounds {
    size_t waiting_bytes_max = 16u << 20;  // Of writes; beyond, they are refused (TWINS_BUSY).
    size_t commit_writes_max = 1000;
    // Until it is stored how far edgehub-svc is: a crash has so much of it sent again.
    absl::Duration progress_interval = absl::Seconds(10);
  };
  using Done = absl::AnyInvocable<void(absl::StatusOr<Written>)>;
  // On the desk's thread, after every commit, in order; it must not block.
  using Observer = std::function<void(const std::vector<TwinEvent>& events)>;

  // From here on nobody else uses the store.
  static absl::StatusOr<std::unique_ptr<TwinDesk>> Create(TwinStore& store, const Bounds& bounds,
                                                          Clock& clock, TwinMetrics& metrics,
                                                          Observer observer);
  ~TwinDesk();  // What waits is answered first: done, or UNAVAILABLE.

  // The Device as the cloud has it now; null models: its model is not here (yet), and nothing is
  // checked by it. Retried until it is stored.
  void Declare(const DeviceName& device, Declaration declaration,
               std::shared_ptr<const Models> models);
  // The device is no longer bound to this node.
  void Undeclare(const DeviceName& device);
  // All devices that are bound have been declared: twins of others go.
  void KeepOnly(std::set<DeviceName> devices);

  // `done` is called once, on the desk's thread, or at once where too much waits. `whole`: with all
  // properties. NOT_FOUND / DEVICE_UNKNOWN, the errors of
  // CheckValue, CheckDesired and twin::Apply, INVALID_ARGUMENT / PROPERTY_NAME,
  // RESOURCE_EXHAUSTED / TWINS_BUSY, those of the store (nothing is changed then).
  void Submit(const DeviceName& device, Write write, bool whole, Done done);

  // NOT_FOUND / DEVICE_UNKNOWN.
  absl::StatusOr<TwinPtr> Get(const DeviceName& device) const;
  // In order of name, after `after`: at most `count_max`. An empty namespace means all.
  std::vector<std::pair<DeviceName, TwinPtr>> List(absl::string_view device_namespace,
                                                   const std::optional<DeviceName>& after,
                                                   size_t count_max) const;
  // Twins of which edgehub-svc may not have the newest: as they were found in the store. Once.
  std::vector<DeviceName> TakeUnreported();
  // edgehub-svc has this revision of the twin; all readings up to this one.
  void NoteReported(const DeviceName& device, uint64_t revision);
  void NoteReadingsSent(uint64_t sequence);

  size_t waiting_bytes() const;
  // Writes and declarations.
  size_t waiting() const;

 private:
  // One thing that waits: a write, or a declaration (`done` null).
  struct Work {
    DeviceName device;
    std::optional<Write> write;
    bool gone = false;                       // The device, before `declaration`.
    std::optional<Declaration> declaration;  // Of the device as it is now.
    bool whole = false;
    size_t bytes = 0;
    Done done;
  };
  struct Answer {
    Done done;
    absl::StatusOr<Written> written;
  };
  TwinDesk(TwinStore& store, const Bounds& bounds, Clock& clock, TwinMetrics& metrics,
           Observer observer);

  void Enqueue(Work work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // As the last of what waits, or as part of that.
  void Queue(Work work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Work Dequeue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Declarations of `batch` could not be stored, and nobody sends them again: they wait once more,
  // before what came since.
  void PutBack(std::vector<Work>& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Unless one is posted, or nothing waits.
  void PostCommit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // On executor_.
  void Commit();
  TwinPtr Find(const DeviceName& device) const;
  absl::Status Check(const DeviceName& device, const Write& write) const;
  void Publish(const std::vector<TwinEvent>& events);
  // A part of it; true: there is more.
  bool SaveProgress();
  void DropExpired();
  void ShowReadings();

  void PostProgress(absl::Duration after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TwinStore& store_;
  const Bounds bounds_;
  TwinMetrics& metrics_;
  const Observer observer_;
  mutable absl::Mutex mutex_;
  std::map<DeviceName, TwinPtr> twins_ ABSL_GUARDED_BY(mutex_);
  std::map<DeviceName, std::shared_ptr<const Models>> models_ ABSL_GUARDED_BY(mutex_);
  std::deque<Work> waiting_ ABSL_GUARDED_BY(mutex_);
  // Devices of which the last that waits is a declaration.
  std::map<DeviceName, Work*> declared_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool committing_ ABSL_GUARDED_BY(mutex_) = false;  // A Commit is posted.
  bool retries_ ABSL_GUARDED_BY(mutex_) = false;     // One will be, after a failure.
  std::vector<DeviceName> unreported_ ABSL_GUARDED_BY(mutex_);
  Progress progress_ ABSL_GUARDED_BY(mutex_);
  bool progress_posted_ ABSL_GUARDED_BY(mutex_) = false;
  // On executor_.
  TwinDrafts::Counters counters_;
  ReadingState shown_;  // In the metrics.
  exec::SerialExecutor executor_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_DESK_H_
