// A mapper: the devices of one protocol on this box, between their driver and twin-svc.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_MAPPER_H_
#define SKERRY_SERVICES_MAPPERS_LIB_MAPPER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"
#include "services/mappers/lib/device_lane.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/lib/metrics.h"

namespace skerry::mapper {

struct MapperOptions {
  std::string name;
  std::string version;
  std::string protocol;      // As in Device.spec.protocol.protocolName.
  std::string socket_path;   // Of DeviceMapperService, absolute.
  std::string twin_address;  // "unix:/run/skerry/dmi.sock".
  size_t devices_max = 256;  // A thread each.
  size_t models_max = 1000;
  uint64_t seed = 1;  // Of the jitter.
};

// Any thread may call it, but not from `done` of Call. All of its state is on an executor of its
// own. What is given to Create outlives it.
class Mapper {
 public:
  static absl::StatusOr<std::unique_ptr<Mapper>> Create(const MapperOptions& options,
                                                        Driver& driver, Clock& clock,
                                                        MapperMetrics& metrics,
                                                        const log::Logger& log,
                                                        std::function<void(bool)> on_registered);
  ~Mapper();  // Stop().

  // Registers with twin-svc, now and after each restart of it. DeviceMapperService serves by then.
  void Start();
  // Ends all devices; up to the driver's timeout. Idempotent.
  void Stop();

  // As DeviceMapperService: whatever comes again changes nothing. A device that is known is
  // updated; one that is not, made. INVALID_ARGUMENT names the field; FAILED_PRECONDITION /
  // MODEL_UNKNOWN; RESOURCE_EXHAUSTED / DEVICES_FULL.
  absl::Status PutDevice(const v1beta1::Device& device);
  absl::Status RemoveDevice(absl::string_view device_namespace, absl::string_view name);
  // Devices of the model follow it.
  absl::Status PutModel(const v1beta1::DeviceModel& model);
  // Devices of it go on as they are.
  absl::Status RemoveModel(absl::string_view model_namespace, absl::string_view name);
  absl::StatusOr<v1beta1::Device> GetDevice(absl::string_view device_namespace,
                                            absl::string_view name);

  // Calls a method of the device and does not wait: `done` comes on its thread, the mapper's, or
  // here where the mapper is stopping. The error is that of the driver, NOT_FOUND / DEVICE_UNKNOWN,
  // or the lane's; a call whose turn does not come within `patience` is not made.
  void Call(const DeviceName& device, std::string method,
            std::map<std::string, std::string> arguments, absl::Duration patience,
            DeviceLane::ValueDone done);

 private:
  struct Impl;
  explicit Mapper(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_MAPPER_H_
