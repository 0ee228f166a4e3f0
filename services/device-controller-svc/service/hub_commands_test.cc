#include "services/device-controller-svc/service/hub_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/device-controller-svc/service/testing/fake_command_hub.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using cloudhub::v1::SendCommandRequest;
using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;

// A sender's answer.
class Answer {
 public:
  absl::StatusOr<Command> Await() {
    if (!come_.WaitForNotificationWithTimeout(absl::Seconds(20)))
      return absl::DeadlineExceededError("no answer");
    return command_;
  }
  bool come() const { return come_.HasBeenNotified(); }
  bool Come(absl::Duration wait) const { return come_.WaitForNotificationWithTimeout(wait); }
  void Set(absl::StatusOr<Command> command) {
    command_ = std::move(command);
    come_.Notify();
  }

 private:
  absl::Notification come_;
  absl::StatusOr<Command> command_ = absl::UnknownError("");
};

class HubCommandsTest : public ::testing::Test {
 protected:
  HubCommandsTest() { commands_.SetHubs({a_.target(), b_.target()}); }

  std::shared_ptr<Answer> Send(const std::string& key, Command::Delivery delivery,
                               absl::Duration total = absl::Minutes(10),
                               absl::Duration queued = absl::ZeroDuration()) {
    SendCommandRequest request;
    request.set_node("edge-1");
    request.set_key(key);
    request.set_type("devicemethods");
    request.set_delivery(delivery);
    auto answer = std::make_shared<Answer>();
    commands_.Send(std::move(request), {.total = total, .queued = queued},
                   [answer](absl::StatusOr<Command> command) { answer->Set(std::move(command)); });
    return answer;
  }
  // Moves time on, in the steps of back-offs, until `done`.
  bool Pass(const std::function<bool(absl::Duration wait)>& done) {
    for (int i = 0; i < 400; ++i) {
      if (done(absl::Milliseconds(50))) return true;
      clock_.Advance(absl::Seconds(1));
    }
    return false;
  }
  static FakeCommandHub::Box Says(const Command& command) {
    return [command](const twin::v1::MethodCall&) { return command; };
  }
  // Takes it, and does not say how it ended.
  static FakeCommandHub::Box Works() { return Says({}); }

  testing::FakeClock clock_;
  const std::shared_ptr<FakeCommandHub::Queue> queue_ = FakeCommandHub::MakeQueue();
  FakeCommandHub a_{queue_};
  FakeCommandHub b_{queue_};
  HubCommands commands_{clock_, log::Logger::Null()};
};

TEST_F(HubCommandsTest, TheHubThatHasTheNodeTakesIt) {
  b_.Connect("edge-1", Says(Done(200)));
  const absl::StatusOr<Command> command = Send("k", Command::DELIVERY_NOW)->Await();
  ASSERT_THAT(command, IsOk());
  EXPECT_EQ(command->stage(), Command::STAGE_DONE);
  EXPECT_EQ(command->name(), "nodes/edge-1/commands/k");
}

TEST_F(HubCommandsTest, NowFailsWhereNoHubHasTheNode) {
  EXPECT_THAT(Send("k", Command::DELIVERY_NOW)->Await().status(), HasReason("NODE_NOT_CONNECTED"));
  b_.Stop();
  EXPECT_THAT(Send("l", Command::DELIVERY_NOW)->Await().status(), HasReason("HUB_UNREACHABLE"));
  commands_.SetHubs({});
  EXPECT_THAT(Send("m", Command::DELIVERY_NOW)->Await().status(), HasReason("HUB_UNREACHABLE"));
}

TEST_F(HubCommandsTest, WaitIsKeptByEachHubAndCancelledWhereItIsNotNeeded) {
  auto answer = Send("k", Command::DELIVERY_WAIT);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_ACCEPTED));
  EXPECT_TRUE(b_.AwaitStage("k", Command::STAGE_ACCEPTED));
  a_.Connect("edge-1", Says(Done(200)));
  ASSERT_THAT(answer->Await(), IsOk());
  EXPECT_TRUE(b_.AwaitStage("k", Command::STAGE_CANCELLED));
}

TEST_F(HubCommandsTest, WhatALostHubHadIsAskedForUntilItIsFound) {
  a_.Connect("edge-1", Works());
  auto answer = Send("k", Command::DELIVERY_NOW);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_SENT));
  a_.Stop();  // The node goes to the other hub, and its box says there how it ended.
  EXPECT_TRUE(Pass([&](absl::Duration wait) { return b_.AwaitSends("k", 3, wait); }));
  EXPECT_FALSE(answer->come()) << "that the node is nowhere is no answer now";
  b_.Connect("edge-1", Says(Done(200)));
  EXPECT_TRUE(Pass([&](absl::Duration wait) { return answer->Come(wait); }));
  ASSERT_THAT(answer->Await(), IsOk());
  EXPECT_EQ(answer->Await()->stage(), Command::STAGE_DONE);
}

TEST_F(HubCommandsTest, WhatIsNotFoundInTimeIsUnknown) {
  a_.Connect("edge-1", Works());
  auto answer = Send("k", Command::DELIVERY_NOW);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_SENT));
  a_.Cut(absl::UnavailableError("restart"));
  EXPECT_TRUE(Pass([&](absl::Duration wait) { return a_.AwaitSends("k", 2, wait); }));
  EXPECT_FALSE(answer->come());
  clock_.Advance(absl::Minutes(10));
  EXPECT_THAT(answer->Await().status(), HasReason("METHOD_OUTCOME_UNKNOWN"));
}

TEST_F(HubCommandsTest, AHubThatDrainsIsAskedAgain) {
  a_.Connect("edge-1", Works());
  auto answer = Send("k", Command::DELIVERY_NOW);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_SENT));
  a_.Cut(Error(absl::StatusCode::kUnavailable, "draining").Reason("DRAINING"));
  EXPECT_TRUE(Pass([&](absl::Duration wait) { return a_.AwaitSends("k", 2, wait); }));
  EXPECT_FALSE(answer->come());
}

TEST_F(HubCommandsTest, AHubThatIsNewIsSentWhatWaits) {
  auto answer = Send("k", Command::DELIVERY_WAIT);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_ACCEPTED));
  FakeCommandHub c(queue_);
  c.Connect("edge-1", Says(Done(200)));
  commands_.SetHubs({c.target()});
  ASSERT_THAT(answer->Await(), IsOk());
  commands_.SetHubs({c.target()});
  EXPECT_EQ(c.sends("k"), 1);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_CANCELLED));
}

TEST_F(HubCommandsTest, AQueuedOneGoesToOneHubAndToTheNextWhereThatIsLost) {
  const absl::StatusOr<Command> queued = Send("k", Command::DELIVERY_QUEUE)->Await();
  ASSERT_THAT(queued, IsOk());
  EXPECT_EQ(queued->stage(), Command::STAGE_ACCEPTED);
  EXPECT_EQ(a_.sends("k") + b_.sends("k"), 1);
  a_.Stop();
  const absl::StatusOr<Command> next = Send("l", Command::DELIVERY_QUEUE)->Await();
  ASSERT_THAT(next, IsOk());
  EXPECT_EQ(b_.sends("l"), 1);
}

TEST_F(HubCommandsTest, AQueuedOneIsFollowedAtAnotherHub) {
  auto answer = Send("k", Command::DELIVERY_QUEUE, absl::Minutes(10), absl::Minutes(5));
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_ACCEPTED));
  EXPECT_EQ(a_.sends("k"), 1);
  a_.Stop();
  EXPECT_TRUE(Pass([&](absl::Duration wait) { return b_.AwaitSends("k", 1, wait); }));
  b_.Connect("edge-1", Says(Done(200)));
  ASSERT_THAT(answer->Await(), IsOk());
  EXPECT_EQ(answer->Await()->stage(), Command::STAGE_DONE);
}

TEST_F(HubCommandsTest, AQueuedOneIsWaitedForSoLong) {
  auto answer = Send("k", Command::DELIVERY_QUEUE, absl::Minutes(10), absl::Minutes(1));
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_ACCEPTED));
  EXPECT_FALSE(answer->come());
  clock_.Advance(absl::Minutes(1));
  ASSERT_THAT(answer->Await(), IsOk());
  EXPECT_EQ(answer->Await()->stage(), Command::STAGE_ACCEPTED);
}

TEST_F(HubCommandsTest, TheHubThatKnowsMostIsBelieved) {
  a_.Connect("edge-1", Works());
  auto answer = Send("k", Command::DELIVERY_WAIT);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_SENT));
  EXPECT_TRUE(b_.AwaitStage("k", Command::STAGE_ACCEPTED));
  EXPECT_EQ(commands_.Get("edge-1", "k", absl::Seconds(10))->stage(), Command::STAGE_SENT);
  EXPECT_THAT(commands_.Cancel("edge-1", "k", absl::Seconds(10)).status(),
              HasReason("COMMAND_SENT"));
  EXPECT_THAT(commands_.Get("edge-1", "none", absl::Seconds(10)).status(),
              HasReason("METHOD_CALL_UNKNOWN"));
}

TEST_F(HubCommandsTest, WhatWaitsAtSeveralHubsIsCancelledAtAll) {
  auto answer = Send("k", Command::DELIVERY_WAIT);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_ACCEPTED));
  EXPECT_TRUE(b_.AwaitStage("k", Command::STAGE_ACCEPTED));
  EXPECT_THAT(commands_.Cancel("edge-1", "k", absl::Seconds(10)), IsOk());
  ASSERT_THAT(answer->Await(), IsOk());
  EXPECT_EQ(answer->Await()->stage(), Command::STAGE_CANCELLED);
  EXPECT_EQ(a_.Find("k").stage(), Command::STAGE_CANCELLED);
  EXPECT_EQ(b_.Find("k").stage(), Command::STAGE_CANCELLED);
  ASSERT_THAT(Send("q", Command::DELIVERY_QUEUE)->Await(), IsOk());
  EXPECT_THAT(commands_.Cancel("edge-1", "q", absl::Seconds(10)), IsOk());
}

TEST_F(HubCommandsTest, AHubOutOfReachMayKnow) {
  ASSERT_THAT(Send("k", Command::DELIVERY_QUEUE)->Await(), IsOk());
  b_.Stop();
  EXPECT_THAT(commands_.Get("edge-1", "k", absl::Seconds(10)), IsOk());
  EXPECT_THAT(commands_.Get("edge-1", "none", absl::Seconds(10)).status(),
              HasReason("HUB_UNREACHABLE"));
  EXPECT_THAT(commands_.List("edge-1", "", absl::Seconds(10)).status(),
              HasReason("HUB_UNREACHABLE"));
}

TEST_F(HubCommandsTest, ListsOfAllHubsAreOne) {
  a_.Connect("edge-1", Says(Done(200)));
  for (const char* key : {"p/1", "p/3", "q/1"})
    ASSERT_THAT(Send(key, Command::DELIVERY_NOW)->Await(), IsOk());
  a_.Disconnect("edge-1");
  b_.Connect("edge-1", Says(Done(200)));
  for (const char* key : {"p/2", "p/4"})
    ASSERT_THAT(Send(key, Command::DELIVERY_NOW)->Await(), IsOk());
  const auto list = commands_.List("edge-1", "p/", absl::Seconds(10));
  ASSERT_THAT(list, IsOk());
  std::vector<std::string> keys;
  for (const Command& command : *list) keys.push_back(command.name().substr(22));
  EXPECT_THAT(keys, ElementsAre("p/1", "p/2", "p/3", "p/4"));
}

TEST_F(HubCommandsTest, StoppingEndsWhatIsUnderWay) {
  auto waits = Send("k", Command::DELIVERY_WAIT);
  EXPECT_TRUE(a_.AwaitStage("k", Command::STAGE_ACCEPTED));
  commands_.Stop();
  EXPECT_THAT(waits->Await().status(), HasReason("DRAINING"));
  EXPECT_THAT(Send("l", Command::DELIVERY_WAIT)->Await().status(), HasReason("DRAINING"));
  EXPECT_EQ(a_.sends("l"), 0);
}

}  // namespace
}  // namespace skerry::devicecontroller
