// The Devices and DeviceModels of this box, as mappers are told of them.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_DEVICE_CATALOG_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_DEVICE_CATALOG_H_

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/model/names.h"

namespace skerry::twin {

// Any thread may call it. Of a device only what mappers are told is kept, compressed: some hundred
// bytes, where a parsed object takes ten thousand. Who fills it bounds it: edge-meta-svc's store.
class DeviceCatalog {
 public:
  struct Entry {
    std::string protocol;  // Empty: no mapper is told of it.
    ObjectKey model;
  };

  DeviceCatalog();
  ~DeviceCatalog();

  // INVALID_ARGUMENT / DEVICE_INVALID where no mapper could be told of it; what was there stays.
  absl::Status PutDevice(const device::DeviceSpec& spec, const nlohmann::json& device);
  void DropDevice(const DeviceName& name);
  absl::Status PutModel(const ObjectKey& name, const nlohmann::json& model);
  // It stays while a device has it: who deletes a model takes no device from its mapper.
  void DropModel(const ObjectKey& name);

  std::optional<Entry> Find(const DeviceName& name) const;
  std::set<DeviceName> DevicesOf(const ObjectKey& model) const;
  // With the defaults of its model, and what the Device itself desires. NOT_FOUND where there is no
  // such device, or its model is not here (yet); INVALID_ARGUMENT / DEVICE_INVALID.
  absl::StatusOr<v1beta1::Device> Device(const DeviceName& name) const;
  absl::StatusOr<v1beta1::DeviceModel> Model(const ObjectKey& name) const;

  size_t device_bytes() const;  // As they are kept.

 private:
  struct Stored {
    Entry entry;
    std::string own;       // Without the defaults of the model; serialized and compressed.
    size_t own_bytes = 0;  // Before it was compressed.
  };
  struct StoredModel {
    std::shared_ptr<const nlohmann::json> json;  // Null: not here.
    std::set<DeviceName> devices;
  };

  void Forget(const DeviceName& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::map<DeviceName, Stored> devices_ ABSL_GUARDED_BY(mutex_);
  std::map<ObjectKey, StoredModel> models_ ABSL_GUARDED_BY(mutex_);
  std::set<ObjectKey> dropped_ ABSL_GUARDED_BY(mutex_);  // Models that stay for their devices.
  size_t device_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The same for equal messages, also of another process: 15 bytes of a SHA-256, which a std::string
// holds in itself.
std::string FingerprintOf(const v1beta1::Device& device);
std::string FingerprintOf(const v1beta1::DeviceModel& model);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_DEVICE_CATALOG_H_
