#include "services/lib/device/desired_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/device/sample_manifests.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::device {
namespace {

using nlohmann::json;
using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of the thermostat with these desired values by property.
absl::Status Check(const json& desired) {
  json device = ThermostatDevice();
  json& properties = device["spec"]["properties"];
  properties = json::array();
  for (const auto& [name, value] : desired.items())
    properties.push_back({{"name", name}, {"desired", {{"value", value}}}});
  return CheckDesiredValues(*ParseDevice(device), *ParseModel(ThermostatModel()));
}

std::string RefusalOf(const absl::Status& status) {
  EXPECT_THAT(status,
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument), HasReason("DESIRED_INVALID")));
  return std::string(status.message());
}

TEST(CheckDesiredValuesTest, TakesTheSamples) {
  for (auto [device, model] : {std::pair(ThermostatDevice(), ThermostatModel()),
                               {CounterDevice(), CounterModel()},
                               {CameraDevice(), CameraModel()}})
    EXPECT_THAT(CheckDesiredValues(*ParseDevice(device), *ParseModel(model)), IsOk());
}

TEST(CheckDesiredValuesTest, RefusesTheTypeAndTheRange) {
  EXPECT_EQ(RefusalOf(Check({{"target", "31"}})),
            "device plant/room-3 desires what its model plant/thermostat does not allow: field "
            "'target' has invalid value '31': give at most 30.0");
  EXPECT_THAT(RefusalOf(Check({{"target", "warm"}})),
              HasSubstr("'warm': give a finite decimal number"));
}

TEST(CheckDesiredValuesTest, RefusesAReadOnlyProperty) {
  EXPECT_THAT(RefusalOf(Check({{"temperature", "20"}})),
              HasSubstr("'temperature' has invalid value '20': it is ReadOnly"));
}

TEST(CheckDesiredValuesTest, RefusesAPropertyThatTheModelDoesNotHave) {
  EXPECT_THAT(RefusalOf(Check({{"tarjet", "20"}})),
              HasSubstr("'tarjet' has invalid value '20': its device model has no such property"));
}

TEST(CheckDesiredValuesTest, PassesOverAPropertyOfWhichNothingIsDesired) {
  EXPECT_THAT(Check({{"temperature", ""}, {"unknown", ""}}), IsOk());
}

TEST(CheckDesiredValuesTest, NamesEveryOne) {
  const absl::Status status = Check({{"target", "99"}, {"heating", "true"}, {"typo", "1"}});
  EXPECT_THAT(RefusalOf(status), AllOf(HasSubstr("'99'"), HasSubstr("'heating'"),
                                       HasSubstr("'typo'"), Not(HasSubstr("more"))));
  const ErrorInfo info = GetErrorInfo(status);
  EXPECT_EQ(info.metadata.at("device"), "plant/room-3");
  EXPECT_EQ(info.metadata.at("model"), "plant/thermostat");
  EXPECT_EQ(info.metadata.at("properties"), "heating target typo");
  EXPECT_EQ(info.metadata.at("count"), "3");
}

TEST(CheckDesiredValuesTest, TellsTenAndHowManyMore) {
  json desired;
  for (int i = 100; i < 110; ++i) desired[absl::StrCat("p", i)] = "1";
  EXPECT_THAT(RefusalOf(Check(desired)), AllOf(HasSubstr("'p109'"), Not(HasSubstr("more"))));
  for (int i = 110; i < 1100; ++i) desired[absl::StrCat("p", i)] = std::string(100'000, 'v');
  const std::string refusal = RefusalOf(Check(desired));
  EXPECT_THAT(refusal, HasSubstr("; and 990 more"));
  EXPECT_LT(refusal.size(), 5000u);
}

TEST(CheckDesiredValuesTest, ShowsLongValuesShort) {
  EXPECT_LT(RefusalOf(Check({{"typo", std::string(1 << 20, 'v')}})).size(), 400u);
}

}  // namespace
}  // namespace skerry::device
