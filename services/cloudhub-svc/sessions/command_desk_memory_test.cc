// What commands and their responses take in memory, while the store is slow, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/sessions/command_desk_fixture.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;

class CommandMemoryTest : public CommandDeskTest {
 protected:
  void SetMemory(size_t bytes) {
    config_.memory_bytes_max = bytes;
    Restart();
  }
  // The box says how it ended; what follows is the store's.
  void Done(const std::string& key, size_t bytes) {
    desk_->Received("edge-1", {key, link::CommandReceipt::Stage::kDone, absl::OkStatus(),
                               std::string(bytes, 'r')});
  }
  bool Deferred(int times) const {
    return registry_.Render().find(absl::StrCat("skerry_cloudhub_command_responses_deferred_total ",
                                                times, "\n")) != std::string::npos;
  }
};

TEST_F(CommandMemoryTest, WhatIsQueuedIsWithinTheMemory) {
  SetMemory(3000);
  Send("a");
  Send("b");
  EXPECT_THAT(Send("c")->Take(), ElementsAre("(COMMAND_QUEUE_FULL)"));
  EXPECT_THAT(Send("b")->Take(), ElementsAre("ACCEPTED"));
}

// The end of one lets another be due, which has ended elsewhere; and the memory is full.
TEST_F(CommandMemoryTest, OneThatEndsMayBeForgottenAtOnce) {
  SetMemory(3000);
  Send("a");
  auto watcher = Send("b");
  link::CommandProgress ended;
  ended.stage = link::CommandStage::kDone;
  ASSERT_TRUE(*store_->Update("edge-1", "b", ended, 1));
  due_ = "b";
  absl::StatusOr<CommandInfo> cancelled = Cancel("a");
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->command.progress.stage, link::CommandStage::kCancelled);
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "DONE", "(OK)"));
  EXPECT_EQ(desk_->NextWake(), clock_.Monotonic() + config_.kept);
}

// [cloudhub-2.8] A store that hangs holds up the ends of commands, and their responses.
TEST_F(CommandMemoryTest, AResponseThatWaitsForTheStoreCounts) {
  SetMemory(10'000);
  auto watcher = Send("a");
  Due("a");
  Done("a", 3000);  // In memory twice: the store is asked to take one.
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "SENT"));
  EXPECT_THAT(Send("b", Delivery::kWait, 4000)->Take(), ElementsAre("(COMMAND_QUEUE_FULL)"));
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("DONE " + std::string(3000, 'r'), "(OK)"));
  EXPECT_THAT(Send("b", Delivery::kWait, 4000)->Take(), ElementsAre("ACCEPTED"));
}

TEST_F(CommandMemoryTest, AResponseThatTheStoreFailsToTakeCounts) {
  SetMemory(10'000);
  Send("a");
  Due("a");
  shared_->update_fails = absl::UnavailableError("the database is away");
  Done("a", 3000);
  Settle();
  EXPECT_THAT(Send("b", Delivery::kWait, 4000)->Take(), ElementsAre("(COMMAND_QUEUE_FULL)"));
}

// [cloudhub-2.8] The box has it, and says it again.
TEST_F(CommandMemoryTest, AResponseThatHasNoRoomIsAskedForAgain) {
  SetMemory(10'000);
  for (const char* key : {"a", "b"}) Send(key);
  for (const char* key : {"a", "b"}) Due(key);
  EXPECT_TRUE(Deferred(0));
  Done("a", 3000);
  Done("b", 3000);
  EXPECT_TRUE(Deferred(1));
  Settle();
  EXPECT_EQ(desk_->Find("edge-1", "a")->command.progress.stage, link::CommandStage::kDone);
  EXPECT_EQ(desk_->Find("edge-1", "b")->command.progress.stage, link::CommandStage::kSent);
  queued_.clear();
  sent_.clear();
  clock_.Advance(config_.store_retry);
  Tick();
  EXPECT_THAT(queued_, ElementsAre("b"));
  Due("b");
  EXPECT_THAT(sent_, ElementsAre("b"));
  Done("b", 3000);
  Settle();
  EXPECT_EQ(desk_->Find("edge-1", "b")->command.progress.response, std::string(3000, 'r'));
  EXPECT_TRUE(Deferred(1));
}

// Else none would ever end.
TEST_F(CommandMemoryTest, OneResponseHasRoomHoweverMuchWaits) {
  SetMemory(3000);
  for (const char* key : {"a", "b"}) Send(key);
  for (const char* key : {"a", "b"}) Due(key);
  for (const char* key : {"a", "b"}) {
    Done(key, 3000);
    Settle();
    EXPECT_EQ(desk_->Find("edge-1", key)->command.progress.stage, link::CommandStage::kDone);
  }
  EXPECT_TRUE(Deferred(0));
}

// [cloudhub-2.8] What has ended is the first to go.
TEST_F(CommandMemoryTest, WhatHasEndedMakesRoomForResponses) {
  SetMemory(16'000);
  for (const char* key : {"a", "b", "c"}) Send(key);
  for (const char* key : {"a", "b", "c"}) Due(key);
  Done("c", 3000);
  Settle();
  EXPECT_TRUE(desk_->Find("edge-1", "c").has_value());
  Done("a", 3000);
  Done("b", 3000);
  EXPECT_TRUE(Deferred(0));
  EXPECT_FALSE(desk_->Find("edge-1", "c").has_value());
}

// All that was counted is given back.
TEST_F(CommandMemoryTest, MemoryIsEmptyInTheEnd) {
  SetMemory(8000);
  for (const char* key : {"a", "b", "c"}) {
    Send(key);
    Due(key);
    Done(key, 2000);
    Settle();
    clock_.Advance(config_.kept);
    Tick();
    EXPECT_EQ(desk_->NextWake(), absl::InfiniteDuration());
    EXPECT_THAT(Send("d", Delivery::kWait, 8000)->Take(), ElementsAre("ACCEPTED"));
    EXPECT_TRUE(Cancel("d").ok());
  }
}

}  // namespace
}  // namespace skerry::cloudhub
