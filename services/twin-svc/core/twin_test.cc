#include "services/twin-svc/core/twin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = Change::Kind;

Value By(const std::string& writer, const std::string& value) {
  return {.value = value, .writer = writer, .time = absl::FromUnixSeconds(1)};
}
Value Cloud(const std::string& value) { return By("cloud", value); }
Value Local(const std::string& value) { return By("panel", value); }

Declaration Device(int64_t generation, const std::string& desired, const std::string& uid = "u1") {
  return {uid, generation, {{"target", {Cloud(desired)}}, {"temperature", {}}}};
}
Write Desire(const std::string& property, std::optional<Value> value, uint64_t id = 0) {
  return {.id = id, .desired = {{property, std::move(value)}}};
}
Write Report(const std::string& property, const std::string& value, uint64_t id = 0) {
  return {.id = id, .reported = {{property, By("mapper", value)}}};
}

class TwinTest : public ::testing::Test {
 protected:
  TwinTest() { Declare(twin_, Device(1, "20")); }

  Property& target() { return twin_.properties.at("target"); }
  std::string desired() { return target().desired().value_or(Value{"nothing"}).value; }

  Twin twin_;
};

TEST_F(TwinTest, WhatIsDeclaredIsDesired) {
  EXPECT_EQ(desired(), "20");
  EXPECT_TRUE(target().differs());
  EXPECT_FALSE(twin_.properties.at("temperature").differs());
  EXPECT_THAT(Declare(twin_, Device(2, "21")), ElementsAre(Change{Kind::kDesired, "target"}));
  EXPECT_EQ(desired(), "21");
}

TEST_F(TwinTest, AnEarlierGenerationAndTheSameOneChangeNothing) {
  Declare(twin_, Device(3, "22"));
  const Twin before = twin_;
  EXPECT_THAT(Declare(twin_, Device(3, "22")), IsEmpty());
  EXPECT_THAT(Declare(twin_, Device(2, "21")), IsEmpty());
  EXPECT_EQ(twin_, before);
}

TEST_F(TwinTest, ALaterGenerationWithTheSameValueKeepsTheVersion) {
  const uint64_t version = target().desired_version;
  EXPECT_THAT(Declare(twin_, Device(2, "20")), IsEmpty());
  EXPECT_EQ(target().desired_version, version);
  EXPECT_EQ(twin_.generation, 2);
}

TEST_F(TwinTest, WhatIsReportedSettlesTheDifference) {
  EXPECT_THAT(*Apply(twin_, Report("target", "20")),
              ElementsAre(Change{Kind::kReported, "target"}));
  EXPECT_FALSE(target().differs());
  Declare(twin_, Device(2, "21"));
  EXPECT_TRUE(target().differs());
}

TEST_F(TwinTest, AWriteOnTheBoxHoldsWhileTheCloudsStays) {
  EXPECT_THAT(*Apply(twin_, Desire("target", Local("25"))),
              ElementsAre(Change{Kind::kDesired, "target"}));
  EXPECT_EQ(desired(), "25");
  Declare(twin_, Device(2, "20"));  // Of something else.
  EXPECT_EQ(desired(), "25");
  EXPECT_FALSE(target().conflict.has_value());
}

TEST_F(TwinTest, AChangeOfTheCloudsReplacesItAndIsAConflict) {
  ASSERT_THAT(Apply(twin_, Desire("target", Local("25"))).status(), IsOk());
  EXPECT_THAT(Declare(twin_, Device(2, "30")),
              ElementsAre(Change{Kind::kConflict, "target"}, Change{Kind::kDesired, "target"}));
  EXPECT_EQ(desired(), "30");
  EXPECT_EQ(target().conflict, (Conflict{Local("25"), Cloud("30"), 2}));
  ASSERT_THAT(Apply(twin_, Desire("target", Local("26"))).status(), IsOk());
  EXPECT_FALSE(target().conflict.has_value()) << "somebody has seen it";
}

TEST_F(TwinTest, WhoAcceptsTheCloudsValueSettlesTheConflict) {
  for (const std::optional<Value>& accepted :
       {std::optional(Local("30")), std::optional<Value>()}) {
    twin_ = {};
    Declare(twin_, Device(1, "20"));
    ASSERT_THAT(Apply(twin_, Desire("target", Local("25"))).status(), IsOk());
    Declare(twin_, Device(2, "30"));
    EXPECT_THAT(*Apply(twin_, Desire("target", accepted)),
                ElementsAre(Change{Kind::kConflict, "target"}));
    EXPECT_FALSE(target().conflict.has_value());
    EXPECT_EQ(desired(), "30");
  }
}

TEST_F(TwinTest, WhoWritesTheSameAgainChangesNothing) {
  ASSERT_THAT(Apply(twin_, Desire("target", Local("25"))).status(), IsOk());
  const Twin before = twin_;
  EXPECT_THAT(*Apply(twin_, Desire("target", By("phone", "25"))), IsEmpty());
  EXPECT_EQ(twin_, before);
}

TEST_F(TwinTest, BothWantTheSameIsNoConflict) {
  ASSERT_THAT(Apply(twin_, Desire("target", Local("30"))).status(), IsOk());
  EXPECT_THAT(Declare(twin_, Device(2, "30")), IsEmpty());
  EXPECT_FALSE(target().local.has_value());
  EXPECT_EQ(desired(), "30");
}

TEST_F(TwinTest, AWriteOfTheCloudsValueIsNoWriteAgainstIt) {
  EXPECT_THAT(*Apply(twin_, Desire("target", Local("20"))), IsEmpty());
  Declare(twin_, Device(2, "30"));
  EXPECT_FALSE(target().conflict.has_value());
}

TEST_F(TwinTest, TheCloudsHoldsAgainWhenTheBoxTakesItsOwnBack) {
  ASSERT_THAT(Apply(twin_, Desire("target", Local("25"))).status(), IsOk());
  EXPECT_THAT(*Apply(twin_, Desire("target", std::nullopt)),
              ElementsAre(Change{Kind::kDesired, "target"}));
  EXPECT_EQ(desired(), "20");
}

TEST_F(TwinTest, ADesiredValueThatIsDeclaredNoMoreTakesTheBoxesAlong) {
  ASSERT_THAT(Apply(twin_, Desire("target", Local("25"))).status(), IsOk());
  Declaration device = Device(2, "");
  device.properties.at("target").desired.reset();
  Declare(twin_, device);
  EXPECT_EQ(desired(), "nothing");
  EXPECT_EQ(target().conflict, (Conflict{Local("25"), std::nullopt, 2}));
}

TEST_F(TwinTest, WhoLosesARaceIsToldBothValuesAndTheWriter) {
  Write write = Desire("target", Local("25"));
  write.expected_versions["target"] = target().desired_version;
  ASSERT_THAT(Apply(twin_, write).status(), IsOk());
  write.desired["target"] = By("phone", "18");
  const Twin before = twin_;
  const absl::Status refused = Apply(twin_, write).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(refused, HasReason("DESIRED_CHANGED"));
  const auto told = GetErrorInfo(refused).metadata;
  EXPECT_EQ(told.at("property"), "target");
  EXPECT_EQ(told.at("version"), absl::StrCat(target().desired_version));
  EXPECT_EQ(told.at("value"), "25");
  EXPECT_EQ(told.at("writer"), "panel");
  EXPECT_EQ(told.at("refused_value"), "18");
  EXPECT_EQ(twin_, before);
}

TEST_F(TwinTest, OneLostRaceRefusesTheWholeWrite) {
  Write write = Desire("other", Local("1"));
  write.desired["target"] = Local("25");
  write.reported["temperature"] = By("mapper", "19");
  write.expected_versions["target"] = target().desired_version + 1;
  const Twin before = twin_;
  EXPECT_FALSE(Apply(twin_, write).ok());
  EXPECT_EQ(twin_, before);
}

TEST_F(TwinTest, ARedeliveryChangesNothing) {
  ASSERT_THAT(Apply(twin_, Report("temperature", "1", 1)).status(), IsOk());
  ASSERT_THAT(Apply(twin_, Report("temperature", "2", 2)).status(), IsOk());
  const Twin before = twin_;
  EXPECT_THAT(*Apply(twin_, Report("temperature", "1", 1)), IsEmpty());
  EXPECT_EQ(twin_, before);
}

TEST_F(TwinTest, ARedeliveryOfAWriteThatLostIsRefusedAgain) {
  Write write = Desire("target", Local("25"), 1);
  write.expected_versions["target"] = 0;
  EXPECT_FALSE(Apply(twin_, write).ok());
  EXPECT_FALSE(Apply(twin_, write).ok());
}

TEST_F(TwinTest, IdsAreRememberedUpToABound) {
  for (size_t i = 0; i <= Twin::kWriteIdsMax; ++i) {
    ASSERT_THAT(Apply(twin_, Report("temperature", "1", i + 1)).status(), IsOk());
  }
  EXPECT_EQ(twin_.write_ids.size(), Twin::kWriteIdsMax);
  EXPECT_EQ(twin_.write_ids.front(), 2u);
}

TEST_F(TwinTest, APropertyThatIsNoLongerDeclaredIsRemoved) {
  ASSERT_THAT(Apply(twin_, Report("temperature", "19")).status(), IsOk());
  ASSERT_THAT(Apply(twin_, Report("made_here", "1")).status(), IsOk());
  Declaration device = Device(2, "20");
  device.properties.erase("temperature");
  EXPECT_THAT(Declare(twin_, device), ElementsAre(Change{Kind::kRemoved, "temperature"}));
  EXPECT_EQ(twin_.properties.count("temperature"), 0u);
  EXPECT_EQ(twin_.properties.count("made_here"), 1u) << "no Device ever declared it";
}

TEST_F(TwinTest, APropertyThatComesBackHasALaterVersion) {
  const uint64_t version = target().desired_version;
  Declaration device = Device(2, "20");
  device.properties.erase("target");
  Declare(twin_, device);
  Declare(twin_, Device(3, "20"));
  EXPECT_GT(target().desired_version, version);
}

TEST_F(TwinTest, ADeviceThatIsMadeAnewBeginsAnew) {
  ASSERT_THAT(Apply(twin_, Report("target", "20", 9)).status(), IsOk());
  ASSERT_THAT(Apply(twin_, Report("made_here", "1")).status(), IsOk());
  ASSERT_THAT(Apply(twin_, Desire("target", Local("25"))).status(), IsOk());
  const uint64_t version = twin_.version;
  EXPECT_THAT(Declare(twin_, Device(1, "40", "u2")),
              ElementsAre(Change{Kind::kRemoved, "made_here"}, Change{Kind::kRemoved, "target"},
                          Change{Kind::kRemoved, "temperature"}, Change{Kind::kDesired, "target"}));
  EXPECT_EQ(desired(), "40");
  EXPECT_FALSE(target().reported.has_value());
  EXPECT_FALSE(target().conflict.has_value());
  EXPECT_GT(target().desired_version, version);
  EXPECT_EQ(twin_.generation, 1);
}

TEST_F(TwinTest, WhatWasWrittenToTheFormerDeviceIsNotWrittenToTheNext) {
  ASSERT_THAT(Apply(twin_, Report("temperature", "1", 1)).status(), IsOk());
  Declare(twin_, Device(1, "40", "u2"));
  ASSERT_THAT(Apply(twin_, Report("temperature", "2", 2)).status(), IsOk());
  // The service died before it had answered: both come again.
  EXPECT_THAT(*Apply(twin_, Report("temperature", "1", 1)), IsEmpty());
  EXPECT_THAT(*Apply(twin_, Report("temperature", "2", 2)), IsEmpty());
  EXPECT_EQ(twin_.properties.at("temperature").reported->value, "2");
}

TEST_F(TwinTest, OnlyWhatNoDeviceDeclaresMayBeRemovedHere) {
  ASSERT_THAT(Apply(twin_, Report("made_here", "1")).status(), IsOk());
  const Twin before = twin_;
  EXPECT_THAT(Apply(twin_, {.remove = {"made_here", "target"}}).status(),
              HasReason("PROPERTY_DECLARED"));
  EXPECT_EQ(twin_, before);
  EXPECT_THAT(*Apply(twin_, {.remove = {"made_here", "unknown"}}),
              ElementsAre(Change{Kind::kRemoved, "made_here"}));
  EXPECT_EQ(twin_.properties.count("made_here"), 0u);
  EXPECT_EQ(twin_.version, before.version + 1);
}

TEST_F(TwinTest, WhatIsRemovedAndMadeAgainHasALaterVersion) {
  ASSERT_THAT(Apply(twin_, Report("made_here", "1")).status(), IsOk());
  const uint64_t version = twin_.properties.at("made_here").reported_version;
  Write write = Report("made_here", "2");
  write.remove = {"made_here"};
  ASSERT_THAT(Apply(twin_, write).status(), IsOk());
  EXPECT_GT(twin_.properties.at("made_here").reported_version, version);
}

TEST_F(TwinTest, AStateIsAChangeOfTheTwinUntilTheDeviceIsAnother) {
  const Write online = {.state = StateReport{.state = "online", .time = absl::UnixEpoch()}};
  const uint64_t version = twin_.version;
  EXPECT_THAT(*Apply(twin_, online), ElementsAre(Change{Kind::kState, ""}));
  EXPECT_EQ(twin_.version, version + 1);
  EXPECT_THAT(*Apply(twin_, online), IsEmpty());
  EXPECT_EQ(twin_.version, version + 1);
  Declare(twin_, {.uid = "another", .generation = 1});
  EXPECT_EQ(twin_.state, DeviceState{});
}

TEST_F(TwinTest, HasABoundOfProperties) {
  for (size_t i = twin_.properties.size(); i < Twin::kPropertiesMax; ++i) {
    ASSERT_THAT(Apply(twin_, Report(absl::StrCat("p", i), "1")).status(), IsOk());
  }
  const Twin before = twin_;
  EXPECT_THAT(Apply(twin_, Report("one_more", "1")).status(), HasReason("TWIN_FULL"));
  EXPECT_THAT(Apply(twin_, Desire("one_more", Local("1"))).status(), HasReason("TWIN_FULL"));
  EXPECT_EQ(twin_, before);
  EXPECT_THAT(Apply(twin_, Report("target", "1")).status(), IsOk());
}

TEST_F(TwinTest, HasABoundOfBytes) {
  const std::string half(Twin::kBytesMax / 2, 'x');
  ASSERT_THAT(Apply(twin_, Report("temperature", half)).status(), IsOk());
  ASSERT_THAT(Apply(twin_, Report("temperature", half)).status(), IsOk()) << "it is replaced";
  const Twin before = twin_;
  EXPECT_THAT(Apply(twin_, Report("target", half)).status(), HasReason("TWIN_FULL"));
  EXPECT_THAT(Apply(twin_, Desire("target", Local(half))).status(), HasReason("TWIN_FULL"));
  EXPECT_EQ(twin_, before);
}

}  // namespace
}  // namespace skerry::twin
