// Device objects and models in memory, as an API server would have them.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_FAKE_DEVICE_OBJECTS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_FAKE_DEVICE_OBJECTS_H_

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/service/device_objects.h"

namespace skerry::devicecontroller {

// Any thread may call it.
class FakeDeviceObjects final : public DeviceObjects {
 public:
  absl::StatusOr<WrittenObject> CreateOrUpdate(const nlohmann::json& device,
                                               const std::string& writer,
                                               const rpc::CallScope& scope) override;
  absl::StatusOr<WrittenObject> SetDesired(const DesiredChange& change,
                                           const rpc::CallScope& scope) override;

  // Called before every write, without a lock: an error is its result.
  void SetHook(std::function<absl::Status(const DeviceName& device)> hook);
  // A desired value that somebody else writes; empty: none.
  void Write(const DeviceName& device, const std::string& property, const std::string& value);
  // Null where there is none.
  nlohmann::json Peek(const DeviceName& device) const;
  std::string uid(const DeviceName& device) const;

 private:
  struct Object {
    nlohmann::json device;
    std::string uid;
    int64_t generation = 0;
  };
  absl::Status CallHook(const DeviceName& device);

  mutable absl::Mutex mutex_;
  std::function<absl::Status(const DeviceName&)> hook_ ABSL_GUARDED_BY(mutex_);
  std::map<DeviceName, Object> objects_ ABSL_GUARDED_BY(mutex_);
  int last_uid_ ABSL_GUARDED_BY(mutex_) = 0;
};

class FakeDeviceModels final : public DeviceModels {
 public:
  std::shared_ptr<const device::ModelSpec> Find(const ObjectKey& model) override;
  // Aborts on one that is not valid.
  void Put(const nlohmann::json& model);

 private:
  absl::Mutex mutex_;
  std::map<ObjectKey, std::shared_ptr<const device::ModelSpec>> models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_FAKE_DEVICE_OBJECTS_H_
