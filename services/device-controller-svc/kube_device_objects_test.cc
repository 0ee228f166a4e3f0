#include "services/device-controller-svc/kube_device_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "services/device-controller-svc/core/desired_plan.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/base/error.h"
#include "services/lib/kubeclient/testing/fake_client.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;
using testing::IsOk;
using testing::StatusIs;
using Outcome = WrittenObject::Outcome;

json Device(const std::string& temp, const std::string& label = "3") {
  json device = {{"apiVersion", "devices.kubeedge.io/v1beta1"},
                 {"kind", "Device"},
                 {"metadata", {{"namespace", "ns"}, {"name", "d"}, {"labels", {{"room", label}}}}},
                 {"spec",
                  {{"deviceModelRef", {{"name", "m"}}},
                   {"properties",
                    json::array({{{"name", "temp"}, {"reportCycle", 5}}, {{"name", "mode"}}})}}}};
  if (!temp.empty()) device["spec"]["properties"][0]["desired"] = {{"value", temp}};
  return device;
}

class KubeDeviceObjectsTest : public ::testing::Test {
 protected:
  absl::StatusOr<WrittenObject> Set(DesiredValues values, DesiredValues expected = {},
                                    const std::string& writer = "alice") {
    return objects_.SetDesired({.device = *DeviceName::Make("ns", "d"),
                                .uid = uid_,
                                .values = std::move(values),
                                .expected = std::move(expected),
                                .writer = writer},
                               scope_);
  }
  json Object() const { return api_.Peek(Devices(), "ns/d")->Json(); }
  std::string Temp() const {
    return Object().value("/spec/properties/0/desired/value"_json_pointer, "");
  }
  std::string Writer(const std::string& property, const std::string& value) const {
    return WriterOf(ReadWriters(Object()), property, value);
  }
  void Put(const json& device) { uid_ = api_.Put(Devices(), device.dump()).uid(); }

  kubeclient::FakeClient api_;
  SystemClock clock_;
  KubeDeviceObjects objects_{api_, clock_};
  rpc::CallScope scope_{.deadline = absl::Now() + absl::Minutes(1)};
  std::string uid_;
};

TEST_F(KubeDeviceObjectsTest, AnImportMakesAnObjectOnceAndChangesWhatDiffers) {
  const auto made = objects_.CreateOrUpdate(Device("21"), "import", scope_);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->outcome, Outcome::kCreated);
  EXPECT_EQ(made->uid, api_.Peek(Devices(), "ns/d")->uid());
  EXPECT_EQ(made->generation, 1);
  EXPECT_EQ(Writer("temp", "21"), "import");
  EXPECT_EQ(objects_.CreateOrUpdate(Device("21"), "import", scope_)->outcome, Outcome::kUnchanged);
  const auto labelled = objects_.CreateOrUpdate(Device("21", "4"), "other", scope_);
  EXPECT_EQ(labelled->outcome, Outcome::kUpdated);
  EXPECT_EQ(labelled->generation, 1) << "the spec is the same";
  EXPECT_EQ(Object()["metadata"]["labels"]["room"], "4");
  EXPECT_EQ(Writer("temp", "21"), "import");
  EXPECT_EQ(objects_.CreateOrUpdate(Device("22", "4"), "other", scope_)->generation, 2);
  EXPECT_EQ(Writer("temp", "22"), "other");
}

TEST_F(KubeDeviceObjectsTest, AnImportLeavesWhatOthersPutThere) {
  json object = Device("21");
  object["metadata"]["annotations"]["other"] = "1";
  object["status"] = {{"old", 1}};
  Put(object);
  ASSERT_THAT(objects_.CreateOrUpdate(Device("22"), "import", scope_), IsOk());
  EXPECT_EQ(Object()["metadata"]["annotations"]["other"], "1");
  EXPECT_TRUE(Object().contains("status"));
}

TEST_F(KubeDeviceObjectsTest, WritesDesiredValuesAndWhoWroteThem) {
  Put(Device("21"));
  const auto written = Set({{"temp", "22"}, {"mode", "eco"}}, {{"temp", "21"}});
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->outcome, Outcome::kUpdated);
  EXPECT_EQ(written->generation, 2);
  EXPECT_EQ(Temp(), "22");
  EXPECT_EQ(Object()["spec"]["properties"][0]["reportCycle"], 5);
  EXPECT_EQ(Writer("temp", "22"), "alice");
  EXPECT_EQ(Writer("mode", "eco"), "alice");
  EXPECT_EQ(Set({{"temp", "22"}}, {}, "bob")->outcome, Outcome::kUnchanged);
  EXPECT_EQ(Writer("temp", "22"), "alice");
  ASSERT_THAT(Set({{"temp", std::nullopt}}, {}, "bob"), IsOk());
  EXPECT_EQ(Temp(), "");
  EXPECT_EQ(Writer("temp", ""), "bob");
  EXPECT_EQ(Writer("mode", "eco"), "alice");
}

TEST_F(KubeDeviceObjectsTest, RefusesWhatIsNotAsExpected) {
  Put(Device("21"));
  const absl::Status changed = Set({{"temp", "23"}}, {{"temp", "20"}}).status();
  EXPECT_THAT(changed, StatusIs(absl::StatusCode::kAborted));
  const ErrorInfo info = GetErrorInfo(changed);
  EXPECT_EQ(info.reason, "DESIRED_CHANGED");
  EXPECT_EQ(info.metadata.at("property"), "temp");
  EXPECT_EQ(info.metadata.at("value"), "21");
  EXPECT_EQ(info.metadata.at("writer"), "cloud");
  EXPECT_EQ(info.metadata.at("refused_value"), "23");
  const absl::Status absent = Set({{"mode", "eco"}}, {{"mode", "dry"}}).status();
  EXPECT_EQ(GetErrorInfo(absent).metadata.count("value"), 0u);
  const absl::Status unknown = Set({{"temp", "23"}, {"speed", "1"}}).status();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(GetErrorInfo(unknown).reason, "PROPERTY_UNKNOWN");
  EXPECT_EQ(GetErrorInfo(unknown).metadata.at("property"), "speed");
  EXPECT_EQ(Temp(), "21") << "all of them or none";
  uid_ = "another";
  EXPECT_EQ(GetErrorInfo(Set({{"temp", "23"}}).status()).reason, "ETAG_MISMATCH");
  api_.Remove(Devices(), "ns", "d");
  EXPECT_EQ(GetErrorInfo(Set({{"temp", "23"}}).status()).reason, "DEVICE_UNKNOWN");
}

TEST_F(KubeDeviceObjectsTest, ALostRaceIsReadAnew) {
  Put(Device("21"));
  int races = 0;
  api_.SetHook(
      [&](absl::string_view verb, const kubeclient::Resource&, absl::string_view) -> absl::Status {
        if (verb == "UPDATE" && ++races <= 2) {
          api_.Put(Devices(), Device(races == 1 ? "30" : "31").dump());
        }
        return absl::OkStatus();
      });
  ASSERT_THAT(Set({{"mode", "eco"}}), IsOk());
  EXPECT_EQ(Temp(), "31") << "what came between stays";
  races = 0;
  EXPECT_EQ(GetErrorInfo(Set({{"temp", "40"}}, {{"temp", "31"}}).status()).reason,
            "DESIRED_CHANGED");
}

TEST_F(KubeDeviceObjectsTest, WithoutTimeNothingIsWritten) {
  Put(Device("21"));
  scope_.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_THAT(Set({{"temp", "22"}}), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(KubeDeviceObjectsTest, WhatTheApiServerRefusesIsForTheCallerToMend) {
  api_.SetHook(
      [&](absl::string_view verb, const kubeclient::Resource&, absl::string_view) -> absl::Status {
        return verb == "CREATE" ? absl::NotFoundError("namespace ns not found") : absl::OkStatus();
      });
  EXPECT_THAT(objects_.CreateOrUpdate(Device("21"), "import", scope_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace skerry::devicecontroller
