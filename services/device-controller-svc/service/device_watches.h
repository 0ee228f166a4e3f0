// Serves WatchDevices.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_WATCHES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/devicecontroller/v1/device_service.pb.h"
#include "services/device-controller-svc/service/service_metrics.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/stream.h"

namespace skerry::devicecontroller {

// Each watcher is sent the registry a page at a time, then the newest state of what changed
// meanwhile, as fast as it reads. It costs one name for each changed device that waits for it. The
// store is read on a thread of its own. Any thread may call it. Outlives the gRPC server.
class DeviceWatches {
 public:
  using ResponseStream = rpc::Stream<v1::WatchDevicesResponse>;

  struct Bounds {
    size_t due_max = 100000;     // Names that wait for one watcher; beyond, it is ended.
    size_t watchers_max = 1000;  // Beyond: RESOURCE_EXHAUSTED / WATCHERS_FULL.
  };

  // No watch is served before SetState(OK). Store, metrics and clock outlive it.
  DeviceWatches(RegistryStore& registry, ServiceMetrics& metrics, Clock& clock)
      : DeviceWatches(registry, metrics, clock, Bounds()) {}
  DeviceWatches(RegistryStore& registry, ServiceMetrics& metrics, Clock& clock, Bounds bounds);

  // Begins a watch, or closes `stream` with the error of the request.
  rpc::WriterEvents Open(const v1::WatchDevicesRequest& request,
                         std::shared_ptr<ResponseStream> stream);
  // The device's record has changed, or is gone.
  void Publish(const DeviceName& device);
  // OK: watches are served. Else every watch, and those that still come, end with it.
  void SetState(absl::Status state);

 private:
  struct Watcher {
    std::string device_namespace;  // Empty: all.
    std::shared_ptr<ResponseStream> stream;
    std::set<DeviceName> due;
    bool posted = false;  // A turn is to come.
    // Of the executor.
    std::optional<DeviceName> last_read;
    bool all_read = false;
    bool synced = false;
  };

  void Post(uint64_t id, Watcher& watcher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // On the executor.
  void Turn(uint64_t id);
  absl::Status ReadOn(Watcher& watcher);
  absl::Status SendDue(Watcher& watcher);
  void End(uint64_t id, const absl::Status& why);

  RegistryStore& registry_;
  ServiceMetrics& metrics_;
  const Bounds bounds_;
  absl::Mutex mutex_;
  std::map<uint64_t, std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status state_ ABSL_GUARDED_BY(mutex_);
  exec::SerialExecutor executor_;
};

// No process here follows the registry's changes.
absl::Status NotLeader();

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_WATCHES_H_
