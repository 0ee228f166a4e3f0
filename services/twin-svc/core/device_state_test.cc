#include "services/twin-svc/core/device_state.h"

#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::IsOk;
using skerry::testing::StatusIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

StateReport Says(const std::string& state, absl::Time time = kNow, const std::string& reason = "") {
  return {.state = state, .reason = reason, .writer = "mapper", .time = time};
}

TEST(DeviceStateTest, BeginsUnknown) {
  const DeviceState state;
  EXPECT_EQ(state.state, "unknown");
  EXPECT_FALSE(state.change_time.has_value());
}

TEST(DeviceStateTest, KeepsSinceWhenItIsSo) {
  DeviceState state;
  EXPECT_TRUE(ReportState(state, Says("online")));
  EXPECT_EQ(state.change_time, kNow);
  EXPECT_EQ(state.last_seen, kNow);
  EXPECT_EQ(state.writer, "mapper");
  const absl::Time later = kNow + absl::Seconds(9);
  EXPECT_TRUE(ReportState(state, Says("offline", later, "no answer")));
  EXPECT_EQ(state.change_time, later);
  EXPECT_EQ(state.last_seen, kNow);
  EXPECT_TRUE(ReportState(state, Says("offline", later + absl::Seconds(1), "cable")));
  EXPECT_EQ(state.reason, "cable");
  EXPECT_EQ(state.change_time, later) << "it is the same state";
}

TEST(DeviceStateTest, WhatIsSaidAgainChangesNothingForAWhile) {
  DeviceState state;
  ReportState(state, Says("online"));
  const DeviceState before = state;
  EXPECT_FALSE(ReportState(state, Says("online", kNow + DeviceState::kSeenInterval / 2)));
  EXPECT_EQ(state, before);
  EXPECT_TRUE(ReportState(state, Says("online", kNow + DeviceState::kSeenInterval)));
  EXPECT_EQ(state.last_seen, kNow + DeviceState::kSeenInterval);
  EXPECT_EQ(state.change_time, kNow);
}

TEST(DeviceStateTest, AClockThatWasSetBackIsFollowed) {
  DeviceState state;
  ReportState(state, Says("online"));
  EXPECT_TRUE(ReportState(state, Says("online", kNow - absl::Hours(24 * 365))));
  EXPECT_EQ(state.last_seen, kNow - absl::Hours(24 * 365));
}

TEST(DeviceStateTest, WhatTakesThePlaceOfAStateTakesNoOther) {
  DeviceState state;
  ReportState(state, Says("online"));
  StateReport away = Says("unknown", kNow + absl::Hours(1), "away");
  away.writer = "twin-svc";
  away.in_place_of = {"offline", "mapper"};
  EXPECT_FALSE(ReportState(state, away));
  away.in_place_of = {"online", "mapper:other"};
  EXPECT_FALSE(ReportState(state, away));
  away.in_place_of = {"online", "mapper"};
  EXPECT_TRUE(ReportState(state, away));
  EXPECT_EQ(state.state, "unknown");
  EXPECT_EQ(state.change_time, kNow + absl::Hours(1));
  EXPECT_EQ(state.last_seen, kNow);
  StateReport back = Says("online", kNow + absl::Hours(2));
  back.in_place_of = {"unknown", "twin-svc"};
  EXPECT_TRUE(ReportState(state, back));
  EXPECT_EQ(state.state, "online");
  EXPECT_EQ(state.reason, "");
  EXPECT_EQ(state.last_seen, kNow) << "nobody has seen it since";
}

TEST(DeviceStateTest, UnknownThatWasSaidIsAChange) {
  DeviceState state;
  EXPECT_TRUE(ReportState(state, Says("unknown")));
  EXPECT_EQ(state.change_time, kNow);
  EXPECT_FALSE(ReportState(state, Says("unknown", kNow + absl::Hours(1))));
}

TEST(DeviceStateTest, KubeEdgesWordsForOnline) {
  for (const char* word : {"online", "Online", "ok", "OK"}) EXPECT_TRUE(MeansOnline(word));
  for (const char* word : {"offline", "", "unhealthy", "on"}) EXPECT_FALSE(MeansOnline(word));
}

TEST(DeviceStateTest, IsBounded) {
  EXPECT_THAT(CheckStateReport(Says("online")), IsOk());
  for (const StateReport& report :
       {Says(""), Says(std::string(65, 's')), Says("online", kNow, std::string(1025, 'r'))}) {
    EXPECT_THAT(CheckStateReport(report), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace skerry::twin
