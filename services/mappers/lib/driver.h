// What a mapper for a protocol implements.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_DRIVER_H_
#define SKERRY_SERVICES_MAPPERS_LIB_DRIVER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/model/names.h"
#include "services/mappers/lib/config_data.h"

namespace skerry::mapper {

struct DriverProperty {
  device::PropertyModel model;  // Name, type, bounds.
  ConfigData visitor;           // How to reach it.
};

struct DriverDevice {
  DeviceName name;
  ConfigData protocol;  // How to reach the device.
  std::vector<DriverProperty> properties;
  v1beta1::Device message;  // As twin-svc sent it.
};

// An open device. All calls come from one thread, that of the device, and one at a time; it is
// destroyed there, too. Each may block, up to `timeout`: a device that takes longer holds up only
// itself, but it counts as offline after twice that time, and it holds up the end of the process.
//
// UNAVAILABLE and DEADLINE_EXCEEDED say that the device does not answer: this connection is
// destroyed, and another one made, with back-off. Other codes are errors of the property.
class Connection {
 public:
  virtual ~Connection() = default;
  // In the text form of the property's type; at most device::kValueBytesMax.
  virtual absl::StatusOr<std::string> Read(const DriverProperty& property,
                                           absl::Duration timeout) = 0;
  // `value` suits the property's model. It may come again.
  virtual absl::Status Write(const DriverProperty& property, absl::string_view value,
                             absl::Duration timeout) = 0;
  // Whether the device is there: asked where nothing was read for a while, and after Connect.
  virtual absl::Status Check(absl::Duration timeout) = 0;
  // UNIMPLEMENTED where there is no such method.
  virtual absl::StatusOr<std::string> Call(absl::string_view method,
                                           const std::map<std::string, std::string>& arguments,
                                           absl::Duration timeout);
};

// Called by the threads of all devices at once; outlives the connections.
class Driver {
 public:
  virtual ~Driver() = default;
  // Whether the settings of the device can be meant, without touching it: errors that somebody must
  // mend reach twin-svc so. Must not block.
  virtual absl::Status Validate(const DriverDevice& device) = 0;
  // May block up to `timeout`. `device` lives as long as the connection.
  virtual absl::StatusOr<std::unique_ptr<Connection>> Connect(const DriverDevice& device,
                                                              absl::Duration timeout) = 0;
};

inline absl::StatusOr<std::string> Connection::Call(absl::string_view,
                                                    const std::map<std::string, std::string>&,
                                                    absl::Duration) {
  return absl::UnimplementedError("devices of this protocol have no methods");
}

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_DRIVER_H_
