#include "services/cloudhub-svc/store/command_store_contract.h"

#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

using link::CommandProgress;
using link::CommandStage;

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

StoredCommand Make(const std::string& key, const std::string& node = "edge-1",
                   const std::string& payload = "p") {
  StoredCommand command;
  command.node = node;
  command.key = key;
  command.type = "method";
  command.payload = payload;
  command.reexecutable = true;
  command.deadline = absl::Seconds(30);
  command.create_time = kNow;
  command.expire_time = kNow + absl::Hours(1);
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
  EXPECT_EQ(found->deadline, absl::Seconds(30));
  EXPECT_EQ(found->create_time, kNow);
  EXPECT_EQ(found->expire_time, kNow + absl::Hours(1));
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
  ASSERT_TRUE(*store->Update("edge-1", "a", At(CommandStage::kDone), kNow));
  EXPECT_EQ(Keys(store->Unended("edge-1")), "c b ");
  EXPECT_EQ(Keys(store->List("edge-1", "", 2)), "a b ");
  EXPECT_EQ(Keys(store->List("edge-1", "b", 2)), "c ");
}

TEST_P(CommandStoreContract, WhatHasEndedStaysAsItEnded) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  ASSERT_TRUE(*store->Insert(Make("a")));
  CommandProgress progress = At(CommandStage::kStarted);
  progress.started = true;
  EXPECT_TRUE(*store->Update("edge-1", "a", progress, kNow));
  EXPECT_TRUE((*store->Find("edge-1", "a"))->progress.at_box);
  EXPECT_TRUE((*store->Find("edge-1", "a"))->progress.started);
  progress = At(CommandStage::kDone);
  progress.status = Error(absl::StatusCode::kNotFound, "no door").Reason("NO_DOOR");
  progress.response = "response";
  EXPECT_TRUE(*store->Update("edge-1", "a", progress, kNow));
  EXPECT_FALSE(*store->Update("edge-1", "a", At(CommandStage::kExpired), kNow));
  EXPECT_FALSE(*store->Update("edge-1", "b", At(CommandStage::kExpired), kNow));
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
  ASSERT_TRUE(*store->Update("edge-1", "a", At(CommandStage::kDone), kNow));
  EXPECT_TRUE(*store->Insert(Make("b", "edge-1", "123")));
}

TEST_P(CommandStoreContract, WhatNobodyEndedEndsInTime) {
  std::unique_ptr<CommandStore> store = home_->Open({});
  ASSERT_TRUE(*store->Insert(Make("waits")));
  ASSERT_TRUE(*store->Insert(Make("sent")));
  ASSERT_TRUE(*store->Update("edge-1", "sent", At(CommandStage::kSent), kNow));
  absl::Time now = kNow + absl::Hours(1) - absl::Seconds(1);
  EXPECT_EQ(*store->Sweep(now, absl::Hours(24)), 0);
  now += absl::Seconds(1);
  EXPECT_EQ(*store->Sweep(now, absl::Hours(24)), 1);
  EXPECT_EQ((*store->Find("edge-1", "waits"))->progress.stage, CommandStage::kExpired);
  now += absl::Seconds(30);
  EXPECT_EQ(*store->Sweep(now, absl::Hours(24)), 1);
  const CommandProgress sent = (*store->Find("edge-1", "sent"))->progress;
  EXPECT_EQ(sent.stage, CommandStage::kDone);
  EXPECT_EQ(GetErrorInfo(sent.status).reason, "COMMAND_OUTCOME_UNKNOWN");
  // It is remembered for the retention.
  EXPECT_EQ(*store->Sweep(now + absl::Hours(23), absl::Hours(24)), 0);
  EXPECT_EQ(Keys(store->List("edge-1", "", 10)), "sent waits ");
  EXPECT_EQ(*store->Sweep(now + absl::Hours(25), absl::Hours(24)), 0);
  EXPECT_EQ(Keys(store->List("edge-1", "", 10)), "");
}

}  // namespace
}  // namespace skerry::cloudhub
