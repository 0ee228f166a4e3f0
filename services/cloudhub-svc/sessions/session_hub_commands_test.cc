// The hub's commands: from their senders to the nodes, and how they ended to their senders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/sessions/session_hub_fixture.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FakeWatcher;

// A store that can hang.
class HangingCommands final : public CommandStore {
 public:
  explicit HangingCommands(std::unique_ptr<CommandStore> store) : store_(std::move(store)) {}

  absl::StatusOr<bool> Insert(const StoredCommand& command) override {
    absl::MutexLock lock(&mutex_);
    asked_ = true;
    mutex_.Await(absl::Condition(&goes_));
    return store_->Insert(command);
  }
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                    absl::string_view key) override {
    return store_->Find(node, key);
  }
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) override {
    return store_->Unended(node);
  }
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node, absl::string_view after,
                                                  size_t count_max) override {
    return store_->List(node, after, count_max);
  }
  absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& progress, uint64_t epoch) override {
    return store_->Update(node, key, progress, epoch);
  }
  absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& end) override {
    return store_->Cancel(node, key, end);
  }
  absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) override {
    return store_->Sweep(grace, retention);
  }
  void AwaitAsked() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&asked_));
  }
  void Go() {
    absl::MutexLock lock(&mutex_);
    goes_ = true;
  }

 private:
  const std::unique_ptr<CommandStore> store_;
  absl::Mutex mutex_;
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  bool goes_ ABSL_GUARDED_BY(mutex_) = false;
};

class SessionHubCommandsTest : public SessionHubTest {
 protected:
  // Only the stores are left.
  void Restart() {
    hub_ = nullptr;
    StartHub(256);
  }

  // The node, and a service of it that takes "method".
  Node ConnectTaker(const std::string& name) {
    Node node = Connect(name);
    Frame(node, link::CommandTakers{{"method"}});
    node.link->Take();
    return node;
  }
  std::shared_ptr<FakeWatcher> SendCommand(const std::string& node, const std::string& key,
                                           Delivery delivery, const std::string& payload = "open") {
    auto watcher = AskCommand(node, key, delivery, payload);
    Settle();
    return watcher;
  }
  std::shared_ptr<FakeWatcher> AskCommand(const std::string& node, const std::string& key,
                                          Delivery delivery, const std::string& payload = "open") {
    CommandInfo info;
    info.delivery = delivery;
    info.command.node = node;
    info.command.key = key;
    info.command.type = "method";
    info.command.payload = payload;
    info.command.deadline = absl::Seconds(30);
    info.command.create_time = clock_.Now();
    info.command.expire_time = clock_.Now() + absl::Seconds(60);
    auto watcher = std::make_shared<FakeWatcher>();
    hub_->SendCommand(std::move(info), watcher);
    return watcher;
  }
  void Receipt(const Node& node, const std::string& key, link::CommandReceipt::Stage stage,
               const std::string& response = "") {
    Frame(node, link::CommandReceipt{key, stage, absl::OkStatus(), response});
  }
  // To its end.
  void Execute(const Node& node, const std::string& key) {
    Receipt(node, key, link::CommandReceipt::Stage::kDelivered);
    Receipt(node, key, link::CommandReceipt::Stage::kStarted);
    Receipt(node, key, link::CommandReceipt::Stage::kDone, "opened");
  }
  static std::vector<std::string> SentCommands(const Node& node) {
    std::vector<std::string> sent;
    for (const link::CloudFrame& frame : node.link->Take()) {
      if (const auto* command = std::get_if<link::Command>(&frame)) {
        sent.push_back(absl::StrCat(command->key, " ", command->payload,
                                    " expire_in=", absl::FormatDuration(command->expire_in)));
      }
    }
    return sent;
  }
};

// link-10.9
TEST_F(SessionHubCommandsTest, ACommandIsToldOfToItsEnd) {
  Node node = ConnectTaker("edge-1");
  auto watcher = SendCommand("edge-1", "a", Delivery::kNow);
  EXPECT_THAT(SentCommands(node), ElementsAre("a open expire_in=1m"));
  Execute(node, "a");
  EXPECT_THAT(watcher->Take(),
              ElementsAre("ACCEPTED", "SENT", "DELIVERED", "STARTED", "DONE opened", "(OK)"));
  // The same key again is the same command.
  EXPECT_THAT(SendCommand("edge-1", "a", Delivery::kNow)->Take(),
              ElementsAre("DONE opened", "(OK)"));
  EXPECT_THAT(SendCommand("edge-1", "a", Delivery::kNow, "close")->Take(),
              ElementsAre("(IDEMPOTENCY_KEY_REUSED)"));
  EXPECT_TRUE(SentCommands(node).empty());
  EXPECT_EQ(hub_->FindCommand("edge-1", "a")->command.progress.response, "opened");
  EXPECT_EQ(GetErrorInfo(hub_->FindCommand("edge-2", "a").status()).reason, "COMMAND_UNKNOWN");
}

// link-10.2
TEST_F(SessionHubCommandsTest, ACommandThatDoesNotWaitNeedsTheNodeAndATaker) {
  EXPECT_THAT(SendCommand("edge-1", "a", Delivery::kNow)->Take(),
              ElementsAre("(NODE_NOT_CONNECTED)"));
  Connect("edge-1");
  EXPECT_THAT(SendCommand("edge-1", "a", Delivery::kNow)->Take(),
              ElementsAre("ACCEPTED", "DONE NO_COMMAND_TAKER", "(OK)"));
}

// link-10.2, link-10.10
TEST_F(SessionHubCommandsTest, ACommandThatWaitsGoesOutWhenTheNodeTakesItOrExpires) {
  auto taken = SendCommand("edge-1", "a", Delivery::kWait);
  auto expired = SendCommand("edge-2", "b", Delivery::kWait);
  EXPECT_THAT(taken->Take(), ElementsAre("ACCEPTED"));
  clock_.Advance(absl::Seconds(10));
  Node node = ConnectTaker("edge-1");
  EXPECT_THAT(taken->Take(), ElementsAre("SENT"));
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(absl::Seconds(10));
    Frame(node, link::Heartbeat{});
  }
  EXPECT_THAT(expired->Take(), ElementsAre("ACCEPTED", "EXPIRED COMMAND_EXPIRED", "(OK)"));
  EXPECT_TRUE(taken->Take().empty());
  Execute(node, "a");
  EXPECT_THAT(taken->Take(), Contains("DONE opened"));
}

// link-10.9: what was sent is asked for in every session, also when it has expired.
TEST_F(SessionHubCommandsTest, ACommandThatWasSentIsSentAgainInTheNextSession) {
  Node node = ConnectTaker("edge-1");
  auto watcher = SendCommand("edge-1", "a", Delivery::kWait);
  EXPECT_THAT(SentCommands(node), ElementsAre("a open expire_in=1m"));
  hub_->Closed(node.connection);
  clock_.Advance(absl::Seconds(61));
  Node again = Connect("edge-1");
  EXPECT_THAT(SentCommands(again), ElementsAre("a open expire_in=0"));
  clock_.Advance(absl::Seconds(29));
  Settle();
  EXPECT_THAT(watcher->Take(),
              ElementsAre("ACCEPTED", "SENT", "DONE COMMAND_OUTCOME_UNKNOWN", "(OK)"));
}

// link-10.9
TEST_F(SessionHubCommandsTest, AQueuedCommandOutlivesTheHub) {
  SendCommand("edge-1", "a", Delivery::kQueue);
  SendCommand("edge-1", "b", Delivery::kQueue);
  Restart();
  Node node = ConnectTaker("edge-1");
  EXPECT_EQ(hub_->FindCommand("edge-1", "a")->command.progress.stage, link::CommandStage::kSent);
  Execute(node, "a");
  Restart();
  EXPECT_EQ(hub_->FindCommand("edge-1", "a")->command.progress.response, "opened");
  // Its sender asks again; the node is asked again, for what has not ended.
  auto watcher = SendCommand("edge-1", "b", Delivery::kQueue);
  EXPECT_THAT(watcher->Take(), ElementsAre("SENT"));
  Node again = Connect("edge-1");
  EXPECT_THAT(SentCommands(again), ElementsAre("b open expire_in=1m"));
  Receipt(again, "b", link::CommandReceipt::Stage::kDelivered);
  Receipt(again, "b", link::CommandReceipt::Stage::kDone, "opened");
  EXPECT_THAT(watcher->Take(), ElementsAre("DELIVERED", "DONE opened", "(OK)"));
  EXPECT_THAT(SendCommand("edge-1", "a", Delivery::kQueue)->Take(),
              ElementsAre("DONE opened", "(OK)"));
  EXPECT_EQ(hub_->ListCommands("edge-1", "", 10)->size(), 2u);
}

// link-10.11
TEST_F(SessionHubCommandsTest, OnlyWhatWasNotSentCanBeCancelled) {
  auto watcher = SendCommand("edge-1", "a", Delivery::kQueue);
  ASSERT_TRUE(hub_->CancelCommand("edge-1", "a").ok());
  EXPECT_THAT(watcher->Take(), Contains("(OK)"));
  EXPECT_EQ(GetErrorInfo(hub_->CancelCommand("edge-1", "a").status()).reason, "COMMAND_ENDED");
  SendCommand("edge-1", "b", Delivery::kQueue);
  Restart();
  EXPECT_TRUE(hub_->CancelCommand("edge-1", "b").ok());
  Node node = ConnectTaker("edge-1");
  EXPECT_TRUE(SentCommands(node).empty());
  SendCommand("edge-1", "c", Delivery::kWait);
  EXPECT_EQ(GetErrorInfo(hub_->CancelCommand("edge-1", "c").status()).reason, "COMMAND_SENT");
  EXPECT_EQ(GetErrorInfo(hub_->CancelCommand("edge-1", "d").status()).reason, "COMMAND_UNKNOWN");
}

TEST_F(SessionHubCommandsTest, OnlySoManyCommandsWaitForANode) {
  for (Delivery delivery : {Delivery::kWait, Delivery::kQueue}) {
    const std::string prefix = delivery == Delivery::kWait ? "w" : "q";
    for (const char* key : {"1", "2", "3"})
      EXPECT_THAT(SendCommand("edge-1", prefix + key, delivery)->Take(), ElementsAre("ACCEPTED"));
    EXPECT_THAT(SendCommand("edge-1", prefix + "4", delivery)->Take(),
                ElementsAre("(COMMAND_QUEUE_FULL)"));
  }
  EXPECT_THAT(SendCommand("edge-2", "4", Delivery::kWait)->Take(), ElementsAre("ACCEPTED"));
}

// link-10.12
TEST_F(SessionHubCommandsTest, ANodeSeesAndAnswersItsOwnCommandsOnly) {
  Node node = ConnectTaker("edge-1");
  Node other = ConnectTaker("edge-2");
  auto watcher = SendCommand("edge-1", "a", Delivery::kWait);
  EXPECT_EQ(SentCommands(node).size(), 1u);
  EXPECT_TRUE(SentCommands(other).empty());
  watcher->Take();
  Receipt(other, "a", link::CommandReceipt::Stage::kDelivered);
  EXPECT_TRUE(watcher->Take().empty());
  ASSERT_TRUE(other.link->closed().has_value());
  EXPECT_EQ(GetErrorInfo(*other.link->closed()).metadata["rule"], "link-10.4");
}

TEST_F(SessionHubCommandsTest, AHubThatDrainsLetsTheSendersGo) {
  auto watcher = SendCommand("edge-1", "a", Delivery::kWait);
  hub_->Drain(absl::ZeroDuration());
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "(DRAINING)"));
  EXPECT_THAT(SendCommand("edge-1", "b", Delivery::kWait)->Take(), ElementsAre("(DRAINING)"));
}

TEST_F(SessionHubCommandsTest, ADrainToOtherReplicasLetsTheSendersGo) {
  auto watcher = SendCommand("edge-1", "a", Delivery::kWait);
  hub_->StartDrain(100);
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "(DRAINING)"));
  EXPECT_THAT(SendCommand("edge-1", "b", Delivery::kWait)->Take(), ElementsAre("(DRAINING)"));
  hub_->StopDrain();
  EXPECT_THAT(SendCommand("edge-1", "b", Delivery::kWait)->Take(), ElementsAre("ACCEPTED"));
}

// cloudhub-2.9, L4
TEST_F(SessionHubCommandsTest, AStoreThatHangsDelaysNeitherSessionsNorOtherCommands) {
  hub_ = nullptr;
  auto hanging = std::make_unique<HangingCommands>(std::move(commands_));
  HangingCommands& store = *hanging;
  commands_ = std::move(hanging);
  StartHub(256);
  Node node = ConnectTaker("edge-1");
  auto queued = AskCommand("edge-1", "a", Delivery::kQueue);
  store.AwaitAsked();
  auto waits = AskCommand("edge-1", "b", Delivery::kWait);
  EXPECT_EQ(hub_->Sessions().size(), 1u);  // What was posted before has run.
  EXPECT_THAT(SentCommands(node), ElementsAre("b open expire_in=1m"));
  EXPECT_THAT(waits->Take(), ElementsAre("ACCEPTED", "SENT"));
  EXPECT_TRUE(queued->Take().empty());
  store.Go();
  Settle();
  EXPECT_THAT(queued->Take(), ElementsAre("ACCEPTED", "SENT"));
}

// A hub that stops still answers those that it has asked the store for.
TEST_F(SessionHubCommandsTest, WhatIsAskedBeforeAStopIsAnswered) {
  auto watcher = AskCommand("edge-1", "a", Delivery::kQueue);
  hub_->Stop();
  EXPECT_THAT(watcher->Take(), ElementsAre(AnyOf("ACCEPTED", "(DRAINING)")));
}

}  // namespace
}  // namespace skerry::cloudhub
