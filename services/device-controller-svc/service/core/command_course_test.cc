#include "services/device-controller-svc/service/core/command_course.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/error.h"

namespace skerry::devicecontroller {
namespace {

using ::testing::ElementsAre;

using Kind = CommandCourse::Kind;

// "ask 0 1", "later 0", "answer of 1", "NODE_NOT_CONNECTED", or "" for nothing.
std::string Text(const CommandCourse::Step& step) {
  if (step.answer.has_value()) {
    if (step.answer->error.ok()) return absl::StrCat("answer of ", step.answer->hub);
    return GetErrorInfo(step.answer->error).reason;
  }
  if (step.ask.empty()) return "";
  return absl::StrCat(step.later ? "later " : "ask ", absl::StrJoin(step.ask, " "));
}

absl::Status NotConnected() {
  return Error(absl::StatusCode::kUnavailable, "not here").Reason("NODE_NOT_CONNECTED");
}
absl::Status Lost() { return absl::UnavailableError("Socket closed"); }
absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "the hub is draining").Reason("DRAINING");
}
absl::Status Full() {
  return Error(absl::StatusCode::kResourceExhausted, "full").Reason("COMMAND_QUEUE_FULL");
}

TEST(CommandCourseTest, NowIsAnsweredByTheHubThatHasTheNode) {
  CommandCourse course(Kind::kNow, 3, 1);
  EXPECT_EQ(Text(course.Begin()), "ask 0 1 2");
  EXPECT_EQ(Text(course.Closed(0, NotConnected())), "");
  EXPECT_EQ(Text(course.Told(1, CommandStage::kWaiting)), "");
  EXPECT_EQ(Text(course.Closed(2, NotConnected())), "");
  EXPECT_EQ(Text(course.Told(1, CommandStage::kUnderWay)), "");
  EXPECT_THAT(course.Open(), ElementsAre(1));
  EXPECT_EQ(Text(course.Told(1, CommandStage::kEnded)), "answer of 1");
  EXPECT_TRUE(course.Open().empty());
}

TEST(CommandCourseTest, NowFailsWhereNoHubHasTheNode) {
  CommandCourse course(Kind::kNow, 2, 0);
  course.Begin();
  EXPECT_EQ(Text(course.Closed(0, NotConnected())), "");
  EXPECT_EQ(Text(course.Closed(1, NotConnected())), "NODE_NOT_CONNECTED");
}

TEST(CommandCourseTest, AHubOutOfReachMayHaveTheNode) {
  CommandCourse course(Kind::kNow, 2, 0);
  course.Begin();
  EXPECT_EQ(Text(course.Closed(0, Lost())), "");
  EXPECT_EQ(Text(course.Closed(1, NotConnected())), "HUB_UNREACHABLE");
  EXPECT_EQ(Text(CommandCourse(Kind::kNow, 0, 0).Begin()), "HUB_UNREACHABLE");
}

TEST(CommandCourseTest, ARefusalOfTheHubThatHasTheNodeCounts) {
  CommandCourse course(Kind::kNow, 3, 0);
  course.Begin();
  course.Closed(0, Lost());
  course.Closed(1, Full());
  EXPECT_EQ(Text(course.Closed(2, NotConnected())), "COMMAND_QUEUE_FULL");
}

TEST(CommandCourseTest, WhatAHubHadIsLookedForEverywhereWhenThatIsLost) {
  CommandCourse course(Kind::kNow, 2, 0);
  course.Begin();
  course.Closed(1, NotConnected());
  course.Told(0, CommandStage::kUnderWay);
  EXPECT_EQ(Text(course.Closed(0, Draining())), "later 0 1");
  EXPECT_EQ(Text(course.Closed(0, Lost())), "") << "hub 1 has not said anything yet";
  EXPECT_EQ(Text(course.Closed(1, NotConnected())), "later 0 1");
  course.Closed(0, Lost());
  EXPECT_EQ(Text(course.Told(1, CommandStage::kEnded)), "answer of 1");
}

TEST(CommandCourseTest, WhatIsNotFoundMayHaveBeenExecuted) {
  CommandCourse course(Kind::kNow, 1, 0);
  course.Begin();
  EXPECT_EQ(Text(CommandCourse(course).EndOfPatience()), "HUB_UNREACHABLE");
  course.Told(0, CommandStage::kUnderWay);
  course.Closed(0, Lost());
  course.Closed(0, NotConnected());
  EXPECT_EQ(Text(course.EndOfPatience()), "METHOD_OUTCOME_UNKNOWN");
}

TEST(CommandCourseTest, WaitIsKeptByAllHubs) {
  CommandCourse course(Kind::kWait, 2, 0);
  EXPECT_EQ(Text(course.Begin()), "ask 0 1");
  course.Told(0, CommandStage::kWaiting);
  course.Told(1, CommandStage::kWaiting);
  course.Told(1, CommandStage::kUnderWay);
  EXPECT_EQ(Text(course.Told(1, CommandStage::kEnded)), "answer of 1");
  EXPECT_THAT(course.Open(), ElementsAre(0)) << "to be cancelled";
}

TEST(CommandCourseTest, AHubThatHasNotSaidThatItKeepsItMayDo) {
  CommandCourse course(Kind::kWait, 3, 0);
  course.Begin();
  course.Closed(2, Lost());
  EXPECT_EQ(Text(course.Told(1, CommandStage::kEnded)), "answer of 1");
  EXPECT_THAT(course.Open(), ElementsAre(0));

  CommandCourse now(Kind::kNow, 2, 0);
  now.Begin();
  now.Told(1, CommandStage::kEnded);
  EXPECT_TRUE(now.Open().empty()) << "with NOW it keeps nothing";
}

TEST(CommandCourseTest, WhatExpiredAtOneHubMayBeUnderWayAtAnother) {
  CommandCourse course(Kind::kWait, 2, 0);
  course.Begin();
  course.Told(0, CommandStage::kWaiting);
  course.Told(1, CommandStage::kUnderWay);
  EXPECT_EQ(Text(course.Told(0, CommandStage::kNotExecuted)), "");
  EXPECT_EQ(Text(course.Closed(0, absl::OkStatus())), "");
  EXPECT_EQ(Text(course.Told(1, CommandStage::kNotExecuted)), "answer of 0");
}

TEST(CommandCourseTest, WhatEndedUnexecutedIsNotBegunAnew) {
  CommandCourse course(Kind::kWait, 2, 0);
  course.Begin();
  course.Told(0, CommandStage::kNotExecuted);
  course.Told(1, CommandStage::kWaiting);
  EXPECT_EQ(Text(course.Closed(1, Lost())), "later 1");
}

TEST(CommandCourseTest, AQueuedOneAsksTheNextHubWhereOneIsLost) {
  CommandCourse course(Kind::kQueue, 3, 2);
  EXPECT_EQ(Text(course.Begin()), "ask 2");
  EXPECT_EQ(Text(course.Closed(2, Lost())), "ask 0");
  EXPECT_EQ(Text(course.Closed(0, Draining())), "ask 1");
  EXPECT_EQ(Text(course.Closed(1, Lost())), "later 2") << "all were lost";
  course.Told(2, CommandStage::kWaiting);
  EXPECT_EQ(Text(course.Closed(2, Lost())), "ask 0") << "it had been there";
  EXPECT_EQ(Text(course.Told(0, CommandStage::kEnded)), "answer of 0");
}

TEST(CommandCourseTest, AQueuedOneIsAnsweredWhenItIsAcceptedAndWaitedFor) {
  CommandCourse course(Kind::kQueue, 1, 0);
  course.Begin();
  EXPECT_EQ(Text(course.EndOfWait()), "");
  EXPECT_EQ(Text(course.Told(0, CommandStage::kWaiting)), "answer of 0");

  CommandCourse waits(Kind::kQueue, 1, 0);
  waits.Begin();
  EXPECT_EQ(Text(waits.Told(0, CommandStage::kWaiting)), "");
  EXPECT_EQ(Text(CommandCourse(waits).Told(0, CommandStage::kNotExecuted)), "answer of 0");
  EXPECT_EQ(Text(CommandCourse(waits).EndOfPatience()), "answer of 0");
  EXPECT_EQ(Text(waits.EndOfWait()), "answer of 0");
}

TEST(CommandCourseTest, AHubThatIsNewIsAskedToo) {
  CommandCourse course(Kind::kWait, 1, 0);
  course.Begin();
  course.Told(0, CommandStage::kWaiting);
  EXPECT_EQ(Text(course.Grow(2)), "ask 1 2");
  EXPECT_EQ(Text(course.Told(2, CommandStage::kEnded)), "answer of 2");

  CommandCourse queued(Kind::kQueue, 1, 0);
  queued.Begin();
  EXPECT_EQ(Text(queued.Grow(1)), "") << "one keeps it for all";
  EXPECT_EQ(Text(queued.Closed(0, Lost())), "ask 1");
}

TEST(CommandCourseTest, ARefusalOfTheQueueIsAnAnswer) {
  CommandCourse course(Kind::kQueue, 2, 0);
  course.Begin();
  EXPECT_EQ(Text(course.Closed(0, Full())), "COMMAND_QUEUE_FULL");
}

TEST(CommandCourseTest, TellsALossFromARefusal) {
  EXPECT_TRUE(CommandCourse::IsLoss(absl::OkStatus()));
  EXPECT_TRUE(CommandCourse::IsLoss(absl::CancelledError("RST_STREAM")));
  EXPECT_TRUE(CommandCourse::IsLoss(Lost()));
  EXPECT_TRUE(CommandCourse::IsLoss(Draining()));
  EXPECT_FALSE(CommandCourse::IsLoss(NotConnected()));
  EXPECT_FALSE(CommandCourse::IsLoss(absl::InvalidArgumentError("key")));
  EXPECT_FALSE(CommandCourse::IsLoss(absl::PermissionDeniedError("no")));
}

}  // namespace
}  // namespace skerry::devicecontroller
