// What the mapper of each protocol is to have.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_WANTED_DEVICES_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_WANTED_DEVICES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/mapper_sync.h"
#include "services/twin-svc/dmi/device_catalog.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

// A mapper is told of the devices whose protocolName is its protocol, that have a model and a twin
// on this box, and of their models. Used on one thread; what is given outlives it.
class WantedDevices {
 public:
  WantedDevices(const DeviceCatalog& catalog, const TwinDesk& twins, DmiMetrics& metrics,
                const log::Logger& log)
      : catalog_(catalog), twins_(twins), metrics_(metrics), log_(log) {}

  // The device or its twin may have changed. A device that does not suit its model stays as it was,
  // and is logged.
  void UpdateDevice(const DeviceName& name);
  // The model may have changed; its devices are to be updated, too.
  void UpdateModel(const ObjectKey& name);

  // From now on what is wanted of the protocol is wanted of `sync`, and no longer of the one
  // before. Null: of none. It is there until another one is set.
  void SetMapper(const std::string& protocol, MapperSync* sync);

  // The device with what is desired of it: on the box, or by the cloud. NOT_FOUND without a twin;
  // the errors of DeviceCatalog::Device.
  absl::StatusOr<v1beta1::Device> Message(const DeviceName& name) const;

  // Of the protocol, after this one, in order: at most `count_max`.
  std::vector<DeviceName> DevicesOf(const std::string& protocol,
                                    const std::optional<DeviceName>& after, size_t count_max) const;

  // The answer to a registration: what is wanted of the protocol, up to `bytes_max`. `left_out` is
  // that for which there is no room, or no message.
  v1beta1::MapperRegisterResponse Answer(const std::string& protocol, size_t bytes_max,
                                         MapperSync::LeftOut& left_out) const;

 private:
  struct Device {
    std::string fingerprint;
    ObjectKey model;
  };
  struct Protocol {
    MapperSync* sync = nullptr;
    std::map<DeviceName, Device> devices;
    std::map<ObjectKey, int> models;  // And the number of their devices.
  };

  void Want(const DeviceName& name, const std::string& protocol_name, Device device);
  void Drop(const DeviceName& name);
  std::string FingerprintOfModel(const ObjectKey& name) const;

  const DeviceCatalog& catalog_;
  const TwinDesk& twins_;
  DmiMetrics& metrics_;
  const log::Logger& log_;
  std::map<std::string, Protocol> protocols_;
  std::map<DeviceName, std::string> protocol_of_;  // Of those that are wanted.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_WANTED_DEVICES_H_
