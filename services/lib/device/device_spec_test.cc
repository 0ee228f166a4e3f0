#include "services/lib/device/device_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/device/sample_manifests.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::device {
namespace {

using nlohmann::json;
using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// `document` with `value` put at `path`, a JSON pointer.
json With(json document, const std::string& path, json value) {
  document[json::json_pointer(path)] = std::move(value);
  return document;
}

std::string RefusalOf(const absl::Status& status, const char* reason) {
  EXPECT_THAT(status, AllOf(StatusIs(absl::StatusCode::kInvalidArgument), HasReason(reason)));
  return std::string(status.message());
}
std::string DeviceRefusal(const std::string& path, json value) {
  return RefusalOf(ParseDevice(With(ThermostatDevice(), path, std::move(value))).status(),
                   "DEVICE_INVALID");
}
std::string ModelRefusal(const std::string& path, json value) {
  return RefusalOf(ParseModel(With(ThermostatModel(), path, std::move(value))).status(),
                   "MODEL_INVALID");
}

json Items(size_t count, const char* prefix, const json& rest = json::object()) {
  json out = json::array();
  for (size_t i = 0; i < count; ++i) {
    out.push_back(rest);
    out.back()["name"] = absl::StrCat(prefix, i);
  }
  return out;
}

TEST(ParseDeviceTest, ReadsAWholeDevice) {
  const absl::StatusOr<DeviceSpec> device = ParseDevice(ThermostatDevice());
  SKERRY_ASSERT_OK(device);
  EXPECT_EQ(device->name.value(), "plant/room-3");
  EXPECT_EQ(device->uid, "7c1e");
  EXPECT_EQ(device->generation, 4);
  EXPECT_EQ(device->node->value(), "edge-1.plant");
  EXPECT_EQ(device->model.value(), "plant/thermostat");
  EXPECT_EQ(device->protocol, "modbus");
  EXPECT_EQ(device->description(), "by the window");
  EXPECT_THAT(device->labels,
              ElementsAre(Pair("description", "by the window"), Pair("model", "RT-20")));
  const PropertySpec target = {
      .name = "target",
      .desired = DesiredValue{"21.5", {{"timestamp", "1750000000000"}, {"type", "float"}}},
      .report_to_cloud = true,
      .report_cycle = absl::Seconds(10),
      .collect_cycle = absl::Seconds(1)};
  const PropertySpec temperature = {
      .name = "temperature", .report_to_cloud = true, .collect_cycle = absl::Seconds(1)};
  EXPECT_THAT(device->properties,
              ElementsAre(target, temperature, PropertySpec{.name = "heating"}));
  EXPECT_THAT(device->methods, ElementsAre(MethodSpec{"SetTarget", "sets the target", {"target"}},
                                           MethodSpec{"Off", "", {"target", "heating"}}));
}

TEST(ParseDeviceTest, ReadsAManifestThatNoServerHasTaken) {
  const absl::StatusOr<DeviceSpec> device = ParseDevice(CounterDevice());
  SKERRY_ASSERT_OK(device);
  EXPECT_EQ(device->uid, "");
  EXPECT_EQ(device->generation, 0);
  EXPECT_EQ(device->description(), "");
  EXPECT_EQ(device->properties[0].desired->value, "0");
  EXPECT_EQ(device->properties[0].report_cycle, absl::Milliseconds(10'000'000'000));
  EXPECT_THAT(device->methods, IsEmpty());
}

TEST(ParseDeviceTest, TakesAnEmptyDesiredValueForNone) {
  const absl::StatusOr<DeviceSpec> device = ParseDevice(CameraDevice());
  SKERRY_ASSERT_OK(device);
  EXPECT_FALSE(device->node.has_value());
  EXPECT_EQ(device->protocol, "");
  EXPECT_FALSE(device->properties[0].desired.has_value());
  EXPECT_FALSE(device->properties[1].desired.has_value());
  EXPECT_EQ(device->properties[2].desired, (DesiredValue{"/var/lib/frames", {}}));
}

TEST(ParseDeviceTest, NamesTheIdentityThatItRefuses) {
  EXPECT_EQ(DeviceRefusal("/metadata", nullptr),
            "metadata.namespace is missing or empty, must be a string that is not empty");
  EXPECT_THAT(DeviceRefusal("/metadata/namespace", "Plant"),
              AllOf(HasSubstr("metadata: "), HasSubstr("'Plant'"), HasSubstr("DNS label")));
  EXPECT_THAT(DeviceRefusal("/metadata/name", "room 3"),
              AllOf(HasSubstr("metadata: "), HasSubstr("'room 3'"), HasSubstr("DNS name")));
  EXPECT_THAT(DeviceRefusal("/spec", nullptr), HasSubstr("spec.deviceModelRef.name is missing"));
  EXPECT_THAT(DeviceRefusal("/spec/deviceModelRef/name", "a/b"),
              AllOf(HasSubstr("spec.deviceModelRef: "), HasSubstr("'a/b'")));
  EXPECT_THAT(DeviceRefusal("/spec/nodeName", "Edge_1"),
              AllOf(HasSubstr("spec.nodeName: "), HasSubstr("'Edge_1'")));
  EXPECT_EQ(DeviceRefusal("/metadata/generation", "4"),
            "metadata.generation is a string, must be an integer from -9223372036854775808 to "
            "9223372036854775807, without quotes");
}

TEST(ParseDeviceTest, NamesThePropertyThatItRefuses) {
  EXPECT_EQ(DeviceRefusal("/spec/properties/2/name", "room temp"),
            "field 'spec.properties[2].name' has invalid value 'room temp': give 1 to 128 of "
            "letters, digits and -_.,:/@#");
  EXPECT_EQ(DeviceRefusal("/spec/properties/2/name", "target"),
            "field 'spec.properties[2].name' has invalid value 'target': spec.properties[0] has "
            "it already; name a property once");
  EXPECT_THAT(DeviceRefusal("/spec/properties/1/name", ""),
              HasSubstr("spec.properties[1].name is missing or empty"));
  EXPECT_EQ(DeviceRefusal("/spec/properties/0/reportCycle", -1),
            "field 'spec.properties[0].reportCycle' has invalid value '-1': give milliseconds "
            "from 0; 0 leaves it to the mapper");
  EXPECT_THAT(DeviceRefusal("/spec/properties/1/collectCycle", -10000),
              AllOf(HasSubstr("'spec.properties[1].collectCycle'"), HasSubstr("'-10000'")));
  EXPECT_THAT(DeviceRefusal("/spec/properties/0/collectCycle", "1s"),
              HasSubstr("spec.properties[0].collectCycle is a string"));
  EXPECT_EQ(DeviceRefusal("/spec/properties/0/desired/value", 21),
            "spec.properties[0].desired.value is a number, must be a string");
  EXPECT_THAT(DeviceRefusal("/spec/methods/1/propertyNames/0", 7),
              HasSubstr("spec.methods[1].propertyNames[0] is a number"));
  EXPECT_THAT(DeviceRefusal("/spec/methods/0/name", nullptr),
              HasSubstr("spec.methods[0].name is missing or empty"));
}

TEST(ParseDeviceTest, TakesTheLongestCycles) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const absl::StatusOr<DeviceSpec> device =
      ParseDevice(With(ThermostatDevice(), "/spec/properties/0/reportCycle", kMax));
  SKERRY_ASSERT_OK(device);
  EXPECT_EQ(device->properties[0].report_cycle, absl::Milliseconds(kMax));
  EXPECT_THAT(DeviceRefusal("/spec/properties/0/reportCycle", std::numeric_limits<int64_t>::min()),
              HasSubstr("'-9223372036854775808'"));
}

TEST(ParseDeviceTest, BoundsPropertiesAndMethods) {
  json device = With(ThermostatDevice(), "/spec/properties", Items(1000, "p"));
  device["spec"]["methods"] = Items(1000, "m");
  SKERRY_EXPECT_OK(ParseDevice(device));
  EXPECT_EQ(DeviceRefusal("/spec/properties", Items(1001, "p")),
            "field 'spec.properties' has invalid value 'a list of 1001': give at most 1000");
  EXPECT_EQ(DeviceRefusal("/spec/methods", Items(1001, "m")),
            "field 'spec.methods' has invalid value 'a list of 1001': give at most 1000");
}

TEST(ParseDeviceTest, ShowsNamesShortAndPrintable) {
  EXPECT_THAT(DeviceRefusal("/spec/properties/0/name", "a\nb"), HasSubstr("'a\\nb'"));
  EXPECT_LT(DeviceRefusal("/spec/properties/0/name", std::string(100'000, '!')).size(), 400u);
}

TEST(ParseModelTest, ReadsAWholeModel) {
  const absl::StatusOr<ModelSpec> model = ParseModel(ThermostatModel());
  SKERRY_ASSERT_OK(model);
  EXPECT_EQ(model->name.value(), "plant/thermostat");
  EXPECT_EQ(model->protocol, "modbus");
  ASSERT_EQ(model->properties.size(), 3u);
  const PropertyModel& target = model->properties[0];
  EXPECT_EQ(target.name, "target");
  EXPECT_EQ(target.type, ValueType::kFloat);
  EXPECT_TRUE(target.writable);
  EXPECT_EQ(target.minimum, "5");
  EXPECT_EQ(target.maximum, "30.0");
  EXPECT_EQ(target.unit, "Celsius");
  EXPECT_FALSE(model->properties[1].writable);
  EXPECT_EQ(model->properties[2].type, ValueType::kBoolean);
}

TEST(ParseModelTest, IsReadWriteWithoutAnAccessMode) {
  const absl::StatusOr<ModelSpec> model = ParseModel(CounterModel());
  SKERRY_ASSERT_OK(model);
  EXPECT_TRUE(model->properties[0].writable);
}

TEST(ParseModelTest, NamesThePropertyThatItRefuses) {
  EXPECT_EQ(ModelRefusal("/spec/properties/1/accessMode", "readonly"),
            "field 'spec.properties[1].accessMode' has invalid value 'readonly': give ReadWrite "
            "or ReadOnly");
  EXPECT_THAT(ModelRefusal("/spec/properties/1/type", "bool"),
              AllOf(HasSubstr("spec.properties[1]: field 'type'"), HasSubstr("'bool'")));
  EXPECT_THAT(ModelRefusal("/spec/properties/1/type", nullptr),
              HasSubstr("spec.properties[1].type is missing or empty"));
  EXPECT_EQ(ModelRefusal("/spec/properties/0/maximum", 30),
            "spec.properties[0].maximum is a number, must be a string");
  EXPECT_THAT(ModelRefusal("/spec/properties/0/minimum", "cold"),
              AllOf(HasSubstr("properties[target].minimum"), HasSubstr("'cold'")));
  EXPECT_THAT(ModelRefusal("/spec/properties/0/maximum", "4"),
              AllOf(HasSubstr("properties[target].maximum"), HasSubstr("the minimum, 5")));
  EXPECT_THAT(
      ModelRefusal("/spec/properties/1/name", "target"),
      AllOf(HasSubstr("'spec.properties[1].name'"), HasSubstr("spec.properties[0] has it")));
  EXPECT_THAT(ModelRefusal("/spec/properties/1/name", "a b"), HasSubstr("'a b'"));
  EXPECT_THAT(ModelRefusal("/metadata/name", "a/b"), HasSubstr("metadata: "));
}

TEST(ParseModelTest, BoundsProperties) {
  const json rest = {{"type", "INT"}};
  SKERRY_EXPECT_OK(ParseModel(With(ThermostatModel(), "/spec/properties", Items(1000, "p", rest))));
  EXPECT_THAT(ModelRefusal("/spec/properties", Items(1001, "p", rest)),
              HasSubstr("give at most 1000"));
}

TEST(IsPropertyNameTest, IsKubeEdgesClass) {
  EXPECT_TRUE(IsPropertyName("azAZ09-_.,:/@#"));
  EXPECT_TRUE(IsPropertyName(std::string(128, 'x')));
  EXPECT_FALSE(IsPropertyName(""));
  EXPECT_FALSE(IsPropertyName(std::string(129, 'x')));
  for (const char* text : {" ", "a b", "a+b", "%", "{}", "a\n", "\xc3\xa4", "a\\b", "a;b", "a!"})
    EXPECT_FALSE(IsPropertyName(text)) << text;
}

}  // namespace
}  // namespace skerry::device
