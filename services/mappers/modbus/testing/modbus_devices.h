// Devices of protocol modbus for tests, in few words.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_MODBUS_DEVICES_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_MODBUS_DEVICES_H_

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "services/mappers/lib/device_setup.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/testing/devices.h"

namespace skerry::mapper::modbus {

using Settings = std::map<std::string, std::variant<std::string, double, bool>>;

struct PropertySpec {
  std::string name;
  std::string type = "INT";
  Settings visitor = {};
};

inline void Set(v1beta1::CustomizedValue& data, const Settings& settings) {
  for (const auto& [name, value] : settings) {
    if (const auto* text = std::get_if<std::string>(&value)) SetText(data, name, *text);
    if (const auto* flag = std::get_if<bool>(&value)) SetFlag(data, name, *flag);
    // As from the cloud: each number is a float.
    if (const auto* number = std::get_if<double>(&value)) {
      SetNumber(data, name, static_cast<float>(*number));
    }
  }
}

// Of model plant/pump; every property may be written.
inline v1beta1::DeviceModel PumpModel(const std::vector<PropertySpec>& properties) {
  v1beta1::DeviceModel model = MakeModel("pump");
  for (const PropertySpec& each : properties) AddProperty(model, each.name, each.type, true);
  return model;
}

inline v1beta1::Device Pump(const std::string& name, const Settings& protocol,
                            const std::vector<PropertySpec>& properties) {
  v1beta1::Device device = MakeDevice(name, "pump", "modbus");
  Set(*device.mutable_spec()->mutable_protocol()->mutable_configdata(), protocol);
  for (const PropertySpec& each : properties) {
    Set(*AddProperty(device, each.name, 1000, 1000)->mutable_visitors()->mutable_configdata(),
        each.visitor);
  }
  return device;
}

// As the driver is given it.
inline DriverDevice PumpForDriver(const Settings& protocol,
                                  const std::vector<PropertySpec>& properties) {
  return *MakeSetup(Pump("pump", protocol, properties), PumpModel(properties)).value().device;
}

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_MODBUS_DEVICES_H_
