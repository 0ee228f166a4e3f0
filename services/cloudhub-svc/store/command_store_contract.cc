#include "services/cloudhub-svc/store/command_store_contract.h"

#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

using link::CommandProgress;
using link::CommandStage;

// Stores tell times that exactly, where their clock is not the asker's.
constexpr absl::Duration kExactly = absl::Minutes(1);

StoredCommand Make(const std::string& key, const std::string& node = "edge-1",
                   const std::string& payload = "p") {
  StoredCommand command;
  command.node = node;
  command.key = key;
  command.type = "method";
  command.payload = payload;
  command.reexecutable = true;
  command.deadline = absl::Minutes(30);
  command.create_time = skerry::testing::FakeClock().Now();
  command.expire_time = command.create_time + absl::Hours(1);
  return command;
}

CommandProgress At(CommandStage stage, bool at_box = true) {
  CommandProgress progress;
  progress.stage = stage;
  progress.at_box = at_box;
  return progress;
}

std::string Keys(const absl::StatusOr<std::vector<StoredCommand>>& commands) {
  if (!commands.ok()) return commands.status().ToString();
  std::string keys;
  for (const StoredCommand& command : *commands) keys += command.key + " ";
  return keys;
}

TEST_P(CommandStoreContract, KeepsCommandsOverARestart) {
  ASSERT_TRUE(*home_->Open({})->Insert(Make("b", "edge-1", std::string("a\0b", 3))));
  std::unique_ptr<CommandStore> store = home_->Open({});
  std::optional<StoredCommand> found = *store->Find("edge-1", "b");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->type, "method");
  EXPECT_EQ(found->payload, std::string("a\0b", 3));
  EXPECT_TRUE(found->reexecutable);
  EXPECT_EQ(found->deadline, absl::Minutes(30));
  EXPECT_LE(absl::AbsDuration(found->create_time - home_->clock().Now()), kExactly);
  EXPECT_EQ(found->expire_time, found->create_time + absl::Hours(1));
  EXPECT_EQ(found->progress.stage, CommandStage::kAccepted);
  EXPECT_FALSE(found->progress.at_box);
  EXPECT_FALSE(store->Find("edge-2", "b")->has_value());
}

TEST_P(CommandStoreContract, AKeyIsOneCommandOfItsNode) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  EXPECT_TRUE(*store->Insert(Make("a")));
  EXPECT_FALSE(*store->Insert(Make("a", "edge-1", "other")));
  EXPECT_TRUE(*store->Insert(Make("a", "edge-2")));
  EXPECT_EQ((*store->Find("edge-1", "a"))->payload, "p");
}

TEST_P(CommandStoreContract, WhatHasNotEndedComesInTheOrderOfItsAcceptance) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  for (const char* key : {"c", "a", "b"}) ASSERT_TRUE(*store->Insert(Make(key)));
  ASSERT_TRUE(*store->Insert(Make("d", "edge-2")));
  ASSERT_TRUE(*store->Update("edge-1", "a", At(CommandStage::kDone), epoch_));
  EXPECT_EQ(Keys(store->Unended("edge-1")), "c b ");
  EXPECT_EQ(Keys(store->List("edge-1", "", 2)), "a b ");
  EXPECT_EQ(Keys(store->List("edge-1", "b", 2)), "c ");
}

TEST_P(CommandStoreContract, WhatHasEndedStaysAsItEnded) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  ASSERT_TRUE(*store->Insert(Make("a")));
  CommandProgress progress = At(CommandStage::kStarted);
  progress.started = true;
  EXPECT_TRUE(*store->Update("edge-1", "a", progress, epoch_));
  EXPECT_TRUE((*store->Find("edge-1", "a"))->progress.at_box);
  EXPECT_TRUE((*store->Find("edge-1", "a"))->progress.started);
  progress = At(CommandStage::kDone);
  progress.status = Error(absl::StatusCode::kNotFound, "no door").Reason("NO_DOOR");
  progress.response = "response";
  EXPECT_TRUE(*store->Update("edge-1", "a", progress, epoch_));
  EXPECT_FALSE(*store->Update("edge-1", "a", At(CommandStage::kExpired), epoch_));
  EXPECT_FALSE(*store->Update("edge-1", "b", At(CommandStage::kExpired), epoch_));
  std::optional<StoredCommand> found = *store->Find("edge-1", "a");
  EXPECT_EQ(found->progress.stage, CommandStage::kDone);
  EXPECT_EQ(GetErrorInfo(found->progress.status).reason, "NO_DOOR");
  EXPECT_EQ(found->progress.response, "response");
}

TEST_P(CommandStoreContract, ANodeHasItsBounds) {
  std::unique_ptr<CommandStore> store = home_->Open({.count_max = 2, .bytes_max = 10});
  ASSERT_TRUE(*store->Insert(Make("a", "edge-1", "12345678")));
  EXPECT_EQ(GetErrorInfo(store->Insert(Make("b", "edge-1", "123")).status()).reason,
            "COMMAND_QUEUE_FULL");
  ASSERT_TRUE(*store->Insert(Make("c", "edge-1", "")));
  EXPECT_EQ(GetErrorInfo(store->Insert(Make("d", "edge-1", "")).status()).reason,
            "COMMAND_QUEUE_FULL");
  EXPECT_FALSE(*store->Insert(Make("a")));
  EXPECT_TRUE(*store->Insert(Make("b", "edge-2", "123")));
  ASSERT_TRUE(*store->Update("edge-1", "a", At(CommandStage::kDone), epoch_));
  EXPECT_TRUE(*store->Insert(Make("b", "edge-1", "123")));
}

// Another hub has written what this one does not know.
TEST_P(CommandStoreContract, WhatLiesBehindIsNotTaken) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  ASSERT_TRUE(*store->Insert(Make("a")));
  ASSERT_TRUE(*store->Update("edge-1", "a", At(CommandStage::kSent), epoch_));
  CommandProgress started = At(CommandStage::kStarted);
  started.started = true;
  ASSERT_TRUE(*store->Update("edge-1", "a", started, epoch_));
  EXPECT_TRUE(*store->Update("edge-1", "a", started, epoch_)) << "again";
  CommandProgress sent = At(CommandStage::kSent);
  EXPECT_FALSE(*store->Update("edge-1", "a", sent, epoch_));
  sent.started = true;
  EXPECT_FALSE(*store->Update("edge-1", "a", sent, epoch_));
  CommandProgress returned = At(CommandStage::kAccepted);
  EXPECT_FALSE(*store->Update("edge-1", "a", returned, epoch_)) << "and it was started";
  EXPECT_EQ((*store->Find("edge-1", "a"))->progress.stage, CommandStage::kStarted);
  returned.started = true;
  EXPECT_TRUE(*store->Update("edge-1", "a", returned, epoch_));
  EXPECT_TRUE(*store->Update("edge-1", "a", sent, epoch_));
  EXPECT_TRUE((*store->Find("edge-1", "a"))->progress.started);
}

// link-10.11
TEST_P(CommandStoreContract, WhatTheBoxCannotHaveIsCancelled) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  CommandProgress end = At(CommandStage::kCancelled, false);
  end.status = absl::CancelledError("no more");
  for (const char* key : {"waits", "sent", "returned"}) ASSERT_TRUE(*store->Insert(Make(key)));
  for (const char* key : {"sent", "returned"})
    ASSERT_TRUE(*store->Update("edge-1", key, At(CommandStage::kSent), epoch_));
  ASSERT_TRUE(*store->Update("edge-1", "returned", At(CommandStage::kAccepted, false), epoch_));
  EXPECT_TRUE(*store->Cancel("edge-1", "waits", end));
  EXPECT_FALSE(*store->Cancel("edge-1", "waits", end)) << "it has ended";
  EXPECT_FALSE(*store->Cancel("edge-1", "sent", end));
  EXPECT_TRUE(*store->Cancel("edge-1", "returned", end));
  EXPECT_FALSE(*store->Cancel("edge-1", "none", end));
  EXPECT_EQ((*store->Find("edge-1", "waits"))->progress.stage, CommandStage::kCancelled);
  EXPECT_EQ((*store->Find("edge-1", "waits"))->progress.status, end.status);
  EXPECT_EQ(Keys(store->Unended("edge-1")), "sent ");
}

TEST_P(CommandStoreContract, WhatNobodyEndedEndsInTime) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  const absl::Duration day = absl::Hours(24);
  ASSERT_TRUE(*store->Insert(Make("waits")));
  ASSERT_TRUE(*store->Insert(Make("sent")));
  ASSERT_TRUE(*store->Update("edge-1", "sent", At(CommandStage::kSent), epoch_));
  home_->Pass(absl::Hours(1) - kExactly);
  EXPECT_EQ(*store->Sweep(absl::ZeroDuration(), day), 0);
  home_->Pass(kExactly);
  EXPECT_EQ(*store->Sweep(kExactly, day), 0);
  EXPECT_EQ(*store->Sweep(absl::ZeroDuration(), day), 1);
  EXPECT_EQ((*store->Find("edge-1", "waits"))->progress.stage, CommandStage::kExpired);
  home_->Pass(absl::Minutes(30));
  EXPECT_EQ(*store->Sweep(absl::ZeroDuration(), day), 1);
  const CommandProgress sent = (*store->Find("edge-1", "sent"))->progress;
  EXPECT_EQ(sent.stage, CommandStage::kDone);
  EXPECT_EQ(GetErrorInfo(sent.status).reason, "COMMAND_OUTCOME_UNKNOWN");
  // It is remembered for the retention.
  home_->Pass(absl::Hours(23));
  EXPECT_EQ(*store->Sweep(absl::ZeroDuration(), day), 0);
  EXPECT_EQ(Keys(store->List("edge-1", "", 10)), "sent waits ");
  home_->Pass(absl::Hours(2));
  EXPECT_EQ(*store->Sweep(absl::ZeroDuration(), day), 0);
  EXPECT_EQ(Keys(store->List("edge-1", "", 10)), "");
}

}  // namespace
}  // namespace skerry::cloudhub
