#include "services/device-controller-svc/service/device_policy.h"

#include <string>
#include <vector>

namespace skerry::devicecontroller {

security::MethodPolicy DevicePolicy() {
  // Operators may do all; applications read, set desired values and call methods; viewers read.
  const std::vector<std::string> operate = {"skerry:operators"};
  const std::vector<std::string> use = {"skerry:operators", "skerry:applications"};
  const std::vector<std::string> read = {"skerry:operators", "skerry:applications",
                                         "skerry:viewers"};
  return security::MethodPolicy({
      {"/skerry.devicecontroller.v1.DeviceService/GetDevice", read},
      {"/skerry.devicecontroller.v1.DeviceService/ListDevices", read},
      {"/skerry.devicecontroller.v1.DeviceService/WatchDevices", read},
      {"/skerry.devicecontroller.v1.DeviceService/EnableDevice", operate},
      {"/skerry.devicecontroller.v1.DeviceService/DisableDevice", operate},
      {"/skerry.devicecontroller.v1.DeviceService/BulkImportDevices", operate},

      {"/skerry.devicecontroller.v1.DeviceTwinService/GetDeviceTwin", read},
      {"/skerry.devicecontroller.v1.DeviceTwinService/ListTwinHistory", read},
      {"/skerry.devicecontroller.v1.DeviceTwinService/UpdateDeviceTwin", use},

      {"/skerry.devicecontroller.v1.TelemetryService/QueryReadings", read},
      {"/skerry.devicecontroller.v1.TelemetryService/AggregateReadings", read},

      // Results of calls may be anything that a device says: not for those who only read.
      {"/skerry.devicecontroller.v1.MethodService/CallMethod", use},
      {"/skerry.devicecontroller.v1.MethodService/GetMethodCall", use},
      {"/skerry.devicecontroller.v1.MethodService/ListMethodCalls", use},
      {"/skerry.devicecontroller.v1.MethodService/CancelMethodCall", use},

      {"/grpc.health.v1.Health/*", {"*"}},
      {"/grpc.reflection.v1alpha.ServerReflection/*", operate},
  });
}

}  // namespace skerry::devicecontroller
