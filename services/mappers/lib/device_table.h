// The devices and device models of a mapper.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_DEVICE_TABLE_H_
#define SKERRY_SERVICES_MAPPERS_LIB_DEVICE_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/model/names.h"
#include "services/mappers/lib/device_lane.h"
#include "services/mappers/lib/device_runner.h"

namespace skerry::mapper {

// Used on the mapper's executor only. What is given outlives it.
class DeviceTable {
 public:
  struct Options {
    std::string protocol;
    size_t devices_max = 256;
    size_t models_max = 1000;
    uint64_t seed = 1;
  };

  DeviceTable(const Options& options, const DeviceRunner::Context& context);
  ~DeviceTable();

  // As Mapper's.
  absl::Status PutDevice(const v1beta1::Device& device);
  absl::Status RemoveDevice(const DeviceName& name);
  absl::Status PutModel(const v1beta1::DeviceModel& model);
  absl::Status RemoveModel(const DeviceName& name);
  absl::StatusOr<v1beta1::Device> GetDevice(const DeviceName& name) const;
  // NOT_FOUND. The runner may be gone after the next change.
  absl::StatusOr<DeviceRunner*> Find(const DeviceName& name) const;

  // A registration is asked for: what calls change from here on is newer than its answer.
  void BeginSync();
  // Its answer: what is not in it, is gone. A device that can't be taken is logged.
  void Sync(const v1beta1::MapperRegisterResponse& all);
  void SetLink(bool up);

  // Ends all devices; their lanes, closed, for the caller to stop on another thread.
  std::vector<std::shared_ptr<DeviceLane>> Retire();

 private:
  absl::Status Put(const v1beta1::Device& device);
  void Remove(const DeviceName& name);
  absl::StatusOr<DeviceSetup> SetUpDevice(const v1beta1::Device& device) const;
  void CountDevices();

  const Options options_;
  const DeviceRunner::Context context_;
  uint64_t seed_;
  bool link_up_ = false;
  std::map<std::string, v1beta1::DeviceModel> models_;  // By "namespace/name".
  std::map<DeviceName, std::shared_ptr<DeviceRunner>> devices_;
  std::set<std::string> changed_models_;  // By calls, since BeginSync.
  std::set<DeviceName> changed_devices_;
  // Waits for the drivers of devices that were removed, so that nobody else has to. A driver may
  // hang there, so they count as devices until they have ended.
  std::atomic<size_t> retiring_ = 0;
  exec::SerialExecutor reaper_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_DEVICE_TABLE_H_
