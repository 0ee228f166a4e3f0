// The manifests of examples/devices: the cloud takes them, and so do the mappers.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/device/desired_values.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/mappers/lib/device_setup.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/modbus/modbus_driver.h"
#include "services/mappers/testing/devices.h"
#include "services/mappers/virtual/virtual_driver.h"

namespace skerry::mapper {
namespace {

using nlohmann::json;
using skerry::testing::IsOk;

json ToJson(const YAML::Node& node) {
  json value;
  if (node.IsMap()) {
    value = json::object();
    for (const auto& member : node) value[member.first.Scalar()] = ToJson(member.second);
  } else if (node.IsSequence()) {
    value = json::array();
    for (const YAML::Node& item : node) value.push_back(ToJson(item));
  } else {
    const std::string text = node.Scalar();
    value = node.Tag() == "!" ? json() : json::parse(text, nullptr, false);  // Quoted, or plain.
    if (!value.is_number() && !value.is_boolean()) value = text;
  }
  return value;
}

void Set(v1beta1::CustomizedValue& data, const json& settings) {
  for (const auto& [name, value] : settings.items()) {
    if (value.is_string()) SetText(data, name, value);
    if (value.is_boolean()) SetFlag(data, name, value);
    if (value.is_number()) SetNumber(data, name, value);
  }
}

v1beta1::Device DeviceOf(const json& manifest, const device::DeviceSpec& spec) {
  v1beta1::Device device = MakeDevice(spec.name.name(), spec.model.name(), spec.protocol);
  device.set_namespace_(spec.name.device_namespace());
  Set(*device.mutable_spec()->mutable_protocol()->mutable_configdata(),
      manifest["spec"]["protocol"]["configData"]);
  for (const json& each : manifest["spec"]["properties"]) {
    v1beta1::DeviceProperty* property =
        AddProperty(device, each["name"], each["collectCycle"], each["reportCycle"],
                    each.value("/desired/value"_json_pointer, ""));
    Set(*property->mutable_visitors()->mutable_configdata(),
        each.value("/visitors/configData"_json_pointer, json::object()));
  }
  return device;
}

v1beta1::DeviceModel ModelOf(const json& manifest, const device::ModelSpec& spec) {
  v1beta1::DeviceModel model = MakeModel(spec.name.name());
  model.set_namespace_(spec.name.object_namespace());
  for (const json& each : manifest["spec"]["properties"]) {
    AddProperty(model, each["name"], each["type"], each["accessMode"] == "ReadWrite");
    v1beta1::ModelProperty& added = *model.mutable_spec()->mutable_properties()->rbegin();
    added.set_minimum(each.value("minimum", ""));
    added.set_maximum(each.value("maximum", ""));
  }
  return model;
}

// Every device of the file, with the models that stand before it; how many these are.
int TryDevices(const std::string& file, Driver& driver) {
  const std::string text = skerry::testing::ReadFileText("examples/devices/" + file);
  std::map<std::string, json> models;
  int devices = 0;
  for (const YAML::Node& document : YAML::LoadAll(text)) {
    json manifest = ToJson(document);
    EXPECT_EQ(manifest["apiVersion"], "devices.kubeedge.io/v1beta1");
    manifest["metadata"]["namespace"] = "default";  // As kubectl does.
    if (manifest["kind"] == "DeviceModel") {
      models[manifest["metadata"]["name"]] = manifest;
      continue;
    }
    EXPECT_EQ(manifest["kind"], "Device");
    SCOPED_TRACE(manifest["metadata"]["name"].get<std::string>());
    const auto spec = device::ParseDevice(manifest);
    const json& model_manifest = models[manifest["spec"]["deviceModelRef"]["name"]];
    const auto model = device::ParseModel(model_manifest);
    EXPECT_THAT(spec, IsOk());
    EXPECT_THAT(model, IsOk());
    if (!spec.ok() || !model.ok()) continue;
    EXPECT_THAT(device::CheckDesiredValues(*spec, *model), IsOk());
    EXPECT_EQ(spec->protocol, model->protocol);
    const auto setup = MakeSetup(DeviceOf(manifest, *spec), ModelOf(model_manifest, *model));
    EXPECT_THAT(setup, IsOk());
    if (!setup.ok()) continue;
    EXPECT_EQ(setup->warnings, std::vector<absl::Status>());
    EXPECT_THAT(driver.Validate(*setup->device), IsOk());
    ++devices;
  }
  return devices;
}

TEST(ExamplesTest, ModbusPump) {
  SystemClock clock;
  ModbusDriver driver(clock);
  EXPECT_EQ(TryDevices("modbus-pump.yaml", driver), 1);
}

TEST(ExamplesTest, VirtualRoom) {
  VirtualDriver driver;
  EXPECT_EQ(TryDevices("virtual-room.yaml", driver), 2);
}

}  // namespace
}  // namespace skerry::mapper
