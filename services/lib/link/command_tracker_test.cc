#include "services/lib/link/command_tracker.h"

#include <gtest/gtest.h>

#include "services/lib/base/error.h"

namespace skerry::link {
namespace {

using Stage = CommandReceipt::Stage;

const CommandTracker::Terms kWaits{false, false, absl::Seconds(100), absl::Seconds(30)};

CommandReceipt Receipt(Stage stage, absl::Status status = absl::OkStatus()) {
  return {"k", stage, std::move(status), stage == Stage::kDone ? "response" : ""};
}

CommandStage StageOf(const CommandTracker::Update& update) {
  return update.has_value() ? update->stage : CommandStage::kAccepted;
}

TEST(CommandTrackerTest, TellsEachStageOnce) {
  CommandTracker tracker(kWaits, {});
  EXPECT_EQ(StageOf(tracker.Sending()), CommandStage::kSent);
  EXPECT_EQ(StageOf(tracker.Receive(Receipt(Stage::kDelivered))), CommandStage::kDelivered);
  EXPECT_EQ(StageOf(tracker.Receive(Receipt(Stage::kStarted))), CommandStage::kStarted);
  // A new session: it is sent again.
  EXPECT_FALSE(tracker.Sending().has_value());
  EXPECT_FALSE(tracker.Receive(Receipt(Stage::kDelivered)).has_value());
  EXPECT_FALSE(tracker.Receive(Receipt(Stage::kStarted)).has_value());
  CommandTracker::Update done = tracker.Receive(Receipt(Stage::kDone));
  ASSERT_EQ(StageOf(done), CommandStage::kDone);
  EXPECT_EQ(done->response, "response");
  EXPECT_FALSE(tracker.Receive(Receipt(Stage::kDone)).has_value());
  EXPECT_FALSE(tracker.Tick(absl::Seconds(1000)).has_value());
  EXPECT_EQ(tracker.NextWake(), absl::InfiniteDuration());
}

// link-10.10
TEST(CommandTrackerTest, ExpiresWhereTheBoxDoesNotHaveIt) {
  CommandTracker tracker(kWaits, {});
  EXPECT_EQ(tracker.NextWake(), absl::Seconds(100));
  EXPECT_FALSE(tracker.Tick(absl::Seconds(99)).has_value());
  EXPECT_EQ(tracker.ExpireIn(absl::Seconds(99)), absl::Seconds(1));
  EXPECT_EQ(StageOf(tracker.Tick(absl::Seconds(100))), CommandStage::kExpired);
  EXPECT_EQ(GetErrorInfo(tracker.progress().status).reason, "COMMAND_EXPIRED");
}

TEST(CommandTrackerTest, ExpiresWhereTheBoxReturnedIt) {
  CommandTracker tracker(kWaits, {});
  (void)tracker.Sending();
  CommandTracker::Update returned =
      tracker.Receive(Receipt(Stage::kReturned, NoCommandTaker("method")));
  ASSERT_TRUE(returned.has_value());
  EXPECT_EQ(returned->stage, CommandStage::kAccepted);
  EXPECT_EQ(StageOf(tracker.Tick(absl::Seconds(100))), CommandStage::kExpired);
}

// link-10.10
TEST(CommandTrackerTest, DoesNotSayExpiredOfWhatTheBoxMayHave) {
  CommandTracker tracker(kWaits, {});
  (void)tracker.Sending();
  EXPECT_FALSE(tracker.Tick(absl::Seconds(100)).has_value());
  EXPECT_EQ(tracker.ExpireIn(absl::Seconds(101)), absl::ZeroDuration());
  EXPECT_EQ(tracker.NextWake(), absl::Seconds(130));
  EXPECT_EQ(StageOf(tracker.Tick(absl::Seconds(130))), CommandStage::kDone);
  EXPECT_EQ(GetErrorInfo(tracker.progress().status).reason, "COMMAND_OUTCOME_UNKNOWN");
}

TEST(CommandTrackerTest, TheBoxSaysThatItExpired) {
  CommandTracker tracker(kWaits, {});
  (void)tracker.Sending();
  absl::Status expired =
      Error(absl::StatusCode::kDeadlineExceeded, "late").Reason("COMMAND_EXPIRED");
  EXPECT_EQ(StageOf(tracker.Receive(Receipt(Stage::kDone, expired))), CommandStage::kExpired);
}

TEST(CommandTrackerTest, OneThatWasStartedIsNotExpiredWhateverTheBoxSays) {
  CommandTracker tracker(kWaits, {});
  (void)tracker.Sending();
  (void)tracker.Receive(Receipt(Stage::kStarted));
  absl::Status expired =
      Error(absl::StatusCode::kDeadlineExceeded, "late").Reason("COMMAND_EXPIRED");
  EXPECT_EQ(StageOf(tracker.Receive(Receipt(Stage::kDone, expired))), CommandStage::kDone);
  EXPECT_EQ(GetErrorInfo(tracker.progress().status).reason, "COMMAND_OUTCOME_UNKNOWN");
}

TEST(CommandTrackerTest, OneThatWasStartedIsNotExpiredWhenItComesBack) {
  CommandTracker::Terms terms = kWaits;
  terms.reexecutable = true;
  CommandTracker tracker(terms, {});
  (void)tracker.Sending();
  (void)tracker.Receive(Receipt(Stage::kStarted));
  EXPECT_EQ(StageOf(tracker.Receive(Receipt(Stage::kReturned, absl::UnavailableError("gone")))),
            CommandStage::kAccepted);
  EXPECT_FALSE(tracker.Tick(absl::Seconds(100)).has_value());
  EXPECT_EQ(StageOf(tracker.Tick(absl::Seconds(130))), CommandStage::kDone);
}

TEST(CommandTrackerTest, NowDoesNotWait) {
  CommandTracker::Terms terms = kWaits;
  terms.now = true;
  CommandTracker tracker(terms, {});
  CommandTracker::Update update =
      tracker.Receive(Receipt(Stage::kReturned, NoCommandTaker("method")));
  ASSERT_EQ(StageOf(update), CommandStage::kDone);
  EXPECT_EQ(update->status.code(), absl::StatusCode::kUnavailable);
}

// link-10.11
TEST(CommandTrackerTest, IsCancelledOnlyBeforeItIsSent) {
  CommandTracker tracker(kWaits, {});
  absl::StatusOr<CommandTracker::Update> cancelled = tracker.Cancel();
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(StageOf(*cancelled), CommandStage::kCancelled);
  EXPECT_EQ(GetErrorInfo(tracker.Cancel().status()).reason, "COMMAND_ENDED");
  CommandTracker sent(kWaits, {});
  (void)sent.Sending();
  EXPECT_EQ(GetErrorInfo(sent.Cancel().status()).reason, "COMMAND_SENT");
}

}  // namespace
}  // namespace skerry::link
