#include "services/twin-svc/dmi/dmi_device.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/testing/sample_device.h"

namespace skerry::twin {
namespace {

using nlohmann::json;
using testing::HasReason;
using testing::IsOk;
using ::testing::StartsWith;
using testing::StatusIsWith;

template <typename Message>
void ExpectEquals(const absl::StatusOr<Message>& actual, const std::string& expected_text) {
  SKERRY_ASSERT_OK(actual);
  Message expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(expected_text, &expected));
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, *actual)) << difference;
}

v1beta1::Device Converted(const json& device, const json& model) {
  absl::StatusOr<v1beta1::Device> out = ToDmi(device, model);
  EXPECT_THAT(out, IsOk());
  return out.value_or(v1beta1::Device());
}

// The sample with `value` put at `path`, a JSON pointer.
json With(json document, const char* path, json value) {
  document[json::json_pointer(path)] = std::move(value);
  return document;
}

json Without(json document, const char* parent, const char* key) {
  document[json::json_pointer(parent)].erase(key);
  return document;
}

std::string StringIn(const v1beta1::CustomizedValue& values, const char* key) {
  const auto it = values.data().find(key);
  google::protobuf::StringValue value;
  if (it == values.data().end() || !it->second.UnpackTo(&value)) return "(none)";
  return value.value();
}

TEST(ToDmiTest, ConvertsAWholeDevice) {
  ExpectEquals(ToDmi(SampleDevice(), SampleModel()), R"(
    name: "boiler-7"
    namespace: "plant"
    spec {
      deviceModelReference: "boiler"
      protocol {
        protocolName: "modbus"
        configData {
          data { key: "baudRate"
                 value { [type.googleapis.com/google.protobuf.FloatValue] { value: 19200 } } }
          data { key: "slaveID"
                 value { [type.googleapis.com/google.protobuf.Int64Value] { value: 16777217 } } }
          data { key: "parity"
                 value { [type.googleapis.com/google.protobuf.StringValue] { value: "even" } } }
        }
      }
      properties {
        name: "temperature"
        desired {
          value: "60"
          metadata { key: "timestamp" value: "1700000000000" }
          metadata { key: "type" value: "float" }
        }
        visitors {
          protocolName: "modbus"
          configData {
            data { key: "register" value {
              [type.googleapis.com/google.protobuf.StringValue] { value: "HoldingRegister" } } }
            data { key: "offset"
                   value { [type.googleapis.com/google.protobuf.FloatValue] { value: 4 } } }
            data { key: "scale"
                   value { [type.googleapis.com/google.protobuf.FloatValue] { value: 0.1 } } }
            data { key: "isSwap"
                   value { [type.googleapis.com/google.protobuf.BoolValue] { value: true } } }
          }
        }
        reportCycle: 10000
        collectCycle: 1000
        reportToCloud: true
        pushMethod { mqtt { address: "tcp://127.0.0.1:1883" topic: "t" qos: 1 } }
      }
      properties {
        name: "valve"
        desired {}
        visitors { configData {} }
      }
      methods {
        name: "heat"
        description: "sets the target"
        propertyNames: "temperature"
        propertyNames: "valve"
      }
    }
    status { reportToCloud: true reportCycle: 60000 }
  )");
}

TEST(ToDmiTest, SendsWhatMappersReadUnlooked) {
  const json device = json::parse(
      R"({"metadata": {"name": "d", "namespace": "n"},
          "spec": {"deviceModelRef": {"name": "m"}, "properties": [{"name": "p"}]}})");
  const v1beta1::Device out = Converted(device, json::object());
  ASSERT_TRUE(out.has_spec());
  EXPECT_TRUE(out.has_status());
  EXPECT_TRUE(out.spec().has_protocol());
  EXPECT_TRUE(out.spec().protocol().has_configdata());
  ASSERT_EQ(out.spec().properties_size(), 1);
  const v1beta1::DeviceProperty& property = out.spec().properties(0);
  EXPECT_TRUE(property.has_desired());
  EXPECT_TRUE(property.has_visitors());
  EXPECT_TRUE(property.visitors().has_configdata());
  EXPECT_FALSE(property.has_pushmethod());
}

TEST(ToDmiTest, TakesVisitorsOfTheModelWhereTheDeviceHasNone) {
  const json device = Without(SampleDevice(), "/spec/properties/0", "visitors");
  const v1beta1::VisitorConfig visitors =
      Converted(device, SampleModel()).spec().properties(0).visitors();
  EXPECT_EQ(visitors.protocolname(), "modbus");
  EXPECT_EQ(StringIn(visitors.configdata(), "register"), "HoldingRegister");
  EXPECT_EQ(visitors.configdata().data_size(), 3);
}

TEST(ToDmiTest, LetsTheDeviceWinKeyByKey) {
  json device = With(SampleDevice(), "/spec/properties/0/visitors/configData",
                     {{"register", "CoilRegister"}});
  device = With(device, "/spec/properties/0/visitors/protocolName", "modbus-tcp");
  device = With(device, "/spec/protocol/configData", {{"parity", ""}});
  const v1beta1::Device out = Converted(device, SampleModel());
  const v1beta1::VisitorConfig& visitors = out.spec().properties(0).visitors();
  EXPECT_EQ(StringIn(visitors.configdata(), "register"), "CoilRegister");
  EXPECT_EQ(visitors.configdata().data().count("offset"), 1u);
  EXPECT_EQ(visitors.protocolname(), "modbus-tcp");
  EXPECT_EQ(StringIn(out.spec().protocol().configdata(), "parity"), "");
  EXPECT_EQ(out.spec().protocol().configdata().data().count("baudRate"), 1u);
}

TEST(ToDmiTest, TakesVisitorsByNameAndNotByPlace) {
  json device = SampleDevice();
  std::swap(device["spec"]["properties"][0], device["spec"]["properties"][1]);
  const v1beta1::Device out = Converted(device, SampleModel());
  EXPECT_EQ(out.spec().properties(0).visitors().configdata().data_size(), 0);
  EXPECT_EQ(StringIn(out.spec().properties(1).visitors().configdata(), "register"),
            "HoldingRegister");
}

// The device chooses which of the model's properties it has.
TEST(ToDmiTest, AddsNoPropertyOfTheModel) {
  const json device = With(SampleDevice(), "/spec/properties", json::array());
  EXPECT_EQ(Converted(device, SampleModel()).spec().properties_size(), 0);
}

TEST(ToDmiTest, KeepsAPropertyThatTheModelLacks) {
  const json device = With(SampleDevice(), "/spec/properties/1/name", "pressure");
  EXPECT_EQ(Converted(device, SampleModel()).spec().properties(1).name(), "pressure");
}

TEST(ToDmiTest, TakesTheFirstOfTwoPropertiesOfAModel) {
  json model = SampleModel();
  json second = model["spec"]["properties"][0];
  second["visitors"]["configData"]["register"] = "second";
  model["spec"]["properties"].push_back(second);
  const v1beta1::Device out = Converted(SampleDevice(), model);
  EXPECT_EQ(StringIn(out.spec().properties(0).visitors().configdata(), "register"),
            "HoldingRegister");
}

// status.reportToCloud is a leftover of an earlier version of the resource.
TEST(ToDmiTest, TakesTheReportOfStatesFromTheSpec) {
  const json device = Without(SampleDevice(), "/spec", "stateReport");
  const v1beta1::Device out = Converted(device, SampleModel());
  EXPECT_FALSE(out.status().reporttocloud());
  EXPECT_EQ(out.status().reportcycle(), 0);
}

TEST(ToDmiTest, PassesOverUnknownFields) {
  json device = With(SampleDevice(), "/spec/properties/0/colour", {{"a", json::array()}});
  device = With(device, "/spec/later", 3);
  device = With(device, "/later", nullptr);
  const absl::StatusOr<v1beta1::Device> out = ToDmi(device, SampleModel());
  SKERRY_ASSERT_OK(out);
  EXPECT_EQ(out->SerializeAsString().size(),
            Converted(SampleDevice(), SampleModel()).SerializeAsString().size());
}

TEST(ToDmiTest, TakesNullForAbsent) {
  for (const char* path : {"/spec/protocol", "/spec/properties", "/spec/methods",
                           "/spec/stateReport", "/spec/properties/0/desired",
                           "/spec/properties/0/visitors", "/spec/properties/0/visitors/configData",
                           "/spec/properties/0/pushMethod", "/spec/properties/0/reportCycle"}) {
    EXPECT_THAT(ToDmi(With(SampleDevice(), path, nullptr), SampleModel()), IsOk()) << path;
  }
}

struct Wrong {
  const char* path;
  json value;
  const char* message;
};

TEST(ToDmiTest, NamesTheFieldThatIsWrong) {
  const std::vector<Wrong> cases = {
      {"/metadata", 3, "metadata is a number, must be an object"},
      {"/metadata/name", "", "metadata.name is missing or empty"},
      {"/metadata/namespace", nullptr, "metadata.namespace is missing or empty"},
      {"/spec", json::array(), "spec is a list, must be an object"},
      {"/spec", nullptr, "spec.deviceModelRef.name is missing or empty"},
      {"/spec/deviceModelRef", "boiler", "spec.deviceModelRef is a string, must be an object"},
      {"/spec/protocol/configData/slaveID", nullptr, "spec.protocol.configData.slaveID is null, "},
      {"/spec/protocol/configData/tls", json::object(),
       "spec.protocol.configData.tls is an object, mappers read only strings, numbers, true and "},
      {"/spec/properties", json::object(), "spec.properties is an object, must be a list"},
      {"/spec/properties/1", "valve", "spec.properties[1] is a string, must be an object"},
      {"/spec/properties/1", nullptr, "spec.properties[1].name is missing or empty"},
      {"/spec/properties/0/desired/value", 60,
       "spec.properties[0].desired.value is a number, must be a string"},
      {"/spec/properties/0/desired/metadata/type", true,
       "spec.properties[0].desired.metadata.type is a boolean, must be a string"},
      {"/spec/properties/0/visitors/configData/offset", json::array({1, 2}),
       "spec.properties[0].visitors.configData.offset is a list, mappers read only strings, "},
      {"/spec/properties/0/visitors/configData/offset", 1e300,
       "spec.properties[0].visitors.configData.offset is a number beyond the range of float32"},
      {"/spec/properties/0/reportCycle", "10s",
       "spec.properties[0].reportCycle is a string, must be an integer"},
      {"/spec/properties/0/reportToCloud", 1,
       "spec.properties[0].reportToCloud is a number, must be true or false"},
      {"/spec/properties/0/pushMethod/mqtt/topic", 1,
       "spec.properties[0].pushMethod.mqtt.topic is a number, must be a string"},
      {"/spec/methods/0/propertyNames/1", 2,
       "spec.methods[0].propertyNames[1] is a number, must be a string"},
      {"/spec/stateReport/reportCycle", 0.5,
       "spec.stateReport.reportCycle is a number, must be an integer"},
  };
  for (const Wrong& wrong : cases) {
    const auto out = ToDmi(With(SampleDevice(), wrong.path, wrong.value), SampleModel());
    EXPECT_THAT(out, StatusIsWith(absl::StatusCode::kInvalidArgument, StartsWith(wrong.message)));
    EXPECT_THAT(out, HasReason("DEVICE_INVALID"));
  }
}

TEST(ToDmiTest, SaysWhichErrorsAreTheModels) {
  const auto out =
      ToDmi(SampleDevice(), With(SampleModel(), "/spec/protocolConfigData/parity", json::array()));
  EXPECT_THAT(out, StatusIsWith(absl::StatusCode::kInvalidArgument,
                                StartsWith("device model: spec.protocolConfigData.parity is ")));
  EXPECT_EQ(GetErrorInfo(out.status()).metadata["field"], "spec.protocolConfigData.parity");
  EXPECT_THAT(ToDmi(SampleDevice(), nullptr),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           StartsWith("device model: the document is null")));
}

TEST(ToDmiTest, PassesOverErrorsOfTheModelThatTheDeviceDoesNotUse) {
  // baudRate is the device's own; valve has no property of the model once it is called otherwise.
  json model = With(SampleModel(), "/spec/protocolConfigData/baudRate", nullptr);
  model = With(model, "/spec/properties/1/visitors", 3);
  const json device = With(SampleDevice(), "/spec/properties/1/name", "pressure");
  EXPECT_THAT(ToDmi(device, model), IsOk());
  EXPECT_THAT(ToDmi(SampleDevice(), model),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           StartsWith("device model: spec.properties[1].visitors is a number")));
}

TEST(ModelToDmiTest, ConvertsAWholeModel) {
  ExpectEquals(ModelToDmi(SampleModel()), R"(
    name: "boiler"
    namespace: "plant"
    spec {
      properties {
        name: "temperature"
        description: "of the water"
        type: "FLOAT"
        accessMode: "ReadWrite"
        minimum: "-20"
        maximum: "120.5"
        unit: "Celsius"
      }
      properties { name: "valve" type: "BOOLEAN" accessMode: "ReadOnly" }
    }
  )");
}

TEST(ModelToDmiTest, SendsASpecWhereThereIsNone) {
  const auto out = ModelToDmi(Without(SampleModel(), "", "spec"));
  SKERRY_ASSERT_OK(out);
  EXPECT_TRUE(out->has_spec());
}

TEST(ModelToDmiTest, NamesTheFieldThatIsWrong) {
  const std::vector<Wrong> cases = {
      {"/metadata/name", 3, "metadata.name is a number, must be a string"},
      {"/metadata/namespace", "", "metadata.namespace is missing or empty"},
      {"/spec", "x", "spec is a string, must be an object"},
      {"/spec/properties", 3, "spec.properties is a number, must be a list of objects"},
      {"/spec/properties/0/name", nullptr, "spec.properties[0].name is missing or empty"},
      {"/spec/properties/0/minimum", -20, "spec.properties[0].minimum is a number, must be a str"},
  };
  for (const Wrong& wrong : cases) {
    EXPECT_THAT(ModelToDmi(With(SampleModel(), wrong.path, wrong.value)),
                StatusIsWith(absl::StatusCode::kInvalidArgument, StartsWith(wrong.message)));
  }
}

}  // namespace
}  // namespace skerry::twin
