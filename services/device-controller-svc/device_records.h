// What the registry says of each device, as far as this process goes by it.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_RECORDS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_RECORDS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// Any thread may call it; calls with a StatusOr ask the store and block. Memory: a few words for
// each device.
class DeviceRecords {
 public:
  // The record is another one than was known, or is gone (then with its name alone). Called by the
  // thread that learned of it, with no lock held.
  struct Change {
    DeviceRecord record;
    bool gone = false;
    bool switched = false;  // Enabled or disabled since it was known; new ones are enabled.
  };
  using OnChange = std::function<void(const Change& change)>;

  DeviceRecords(RegistryStore& store, OnChange on_change)
      : store_(store), on_change_(std::move(on_change)) {}

  // Records the Device, now or again.
  absl::StatusOr<DeviceRecord> Put(const KubeObject& device);
  // Of the device's twin. Asks the store only where this uid is not known here yet.
  absl::StatusOr<TwinKey> KeyOf(const KubeObject& device);
  absl::StatusOr<std::optional<DeviceRecord>> Get(const DeviceName& device) {
    return store_.Get(device);
  }
  // The device is gone: its record, if it is of that uid, too.
  absl::Status Delete(const DeviceName& device, const std::string& uid);

  // Takes in all records of the registry: who is disabled. Their names.
  absl::StatusOr<std::vector<std::string>> Load();
  // Names of those that another process has enabled or disabled since: Put tells how they are.
  absl::StatusOr<std::vector<std::string>> FindSwitched();

  bool IsDisabled(const std::string& device) const;

 private:
  struct Known {
    std::string uid;
    int64_t incarnation = 0;
    int64_t generation = 0;
    bool enabled = true;
  };

  // Older than what is known: nothing.
  void Learn(const DeviceRecord& record);
  absl::StatusOr<std::vector<DeviceRecord>> ListAll(const DeviceFilter& filter);

  RegistryStore& store_;
  const OnChange on_change_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_RECORDS_H_
