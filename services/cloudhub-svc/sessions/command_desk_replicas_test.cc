// Desks of two hubs on one store: what one queues, the other sends, and both tell how it ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/cloudhub-svc/store/sqlite_command_store.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using link::CommandReceipt;
using ::testing::ElementsAre;
using testing::FakeWatcher;
using ::testing::IsEmpty;

// Takes progress from the newest session alone, as a store that is shared does.
class FencingStore final : public CommandStore {
 public:
  explicit FencingStore(CommandStore& store) : store_(store) {}

  absl::StatusOr<bool> Insert(const StoredCommand& command) override {
    return store_.Insert(command);
  }
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                    absl::string_view key) override {
    return store_.Find(node, key);
  }
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) override {
    return store_.Unended(node);
  }
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node, absl::string_view after,
                                                  size_t count_max) override {
    return store_.List(node, after, count_max);
  }
  absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& progress, uint64_t epoch) override {
    if (!fails.ok()) return fails;
    return epoch == newest ? store_.Update(node, key, progress, epoch) : false;
  }
  absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& end) override {
    return store_.Cancel(node, key, end);
  }
  absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) override {
    return store_.Sweep(grace, retention);
  }

  uint64_t newest = 0;  // Epoch of the node's newest session.
  absl::Status fails;

 private:
  CommandStore& store_;
};

// One hub's.
struct Desk {
  Desk(CommandStore& store, Clock& clock, CloudHubMetrics& metrics)
      : desk(
            {.shared = true}, store, clock, metrics, log::Logger::Null(),
            [this](const std::string&, link::cloud::Event event) {
              if (session == 0) return;
              if (const auto* queue = std::get_if<link::cloud::QueueCommand>(&event);
                  queue != nullptr && std::count(queued.begin(), queued.end(), queue->key) == 0)
                queued.push_back(queue->key);
              if (const auto* send = std::get_if<link::cloud::SendCommand>(&event))
                sent.push_back(send->command.key);
              if (const auto* drop = std::get_if<link::cloud::DropCommand>(&event))
                std::erase(queued, drop->key);
            },
            [this](const std::string&) { return session; },
            [this](auto work) {
              calls.push_back(std::move(work));
              return true;
            }) {}

  // The store's next answer.
  void Answer() {
    auto work = std::move(calls.front());
    calls.pop_front();
    work()();
  }
  bool Settle() {
    const bool any = !calls.empty();
    while (!calls.empty()) Answer();
    return any;
  }

  uint64_t session = 0;  // Its epoch.
  std::vector<std::string> queued;
  std::vector<std::string> sent;
  std::deque<absl::AnyInvocable<absl::AnyInvocable<void()>()>> calls;
  CommandDesk desk;
};

class CommandDeskReplicasTest : public ::testing::Test {
 protected:
  CommandDeskReplicasTest() : registry_("cloudhub-svc"), metrics_(registry_) {}

  // The node has a session there now; the former hub does not know it yet.
  void Connect(Desk& desk) {
    desk.session = ++shared_.newest;
    desk.queued.clear();
    desk.desk.NodeConnected("edge-1");
  }
  // Both hubs have heard of what they did, and of what that brought.
  void Settle() {
    for (int i = 0; i < 3; ++i) {
      for (Desk* desk : {&a_, &b_}) {
        desk->desk.Reload("edge-1");
        desk->Settle();
      }
    }
  }
  std::shared_ptr<FakeWatcher> Send(Desk& desk, const std::string& key,
                                    Delivery delivery = Delivery::kQueue) {
    CommandInfo info;
    info.delivery = delivery;
    info.command.node = "edge-1";
    info.command.key = key;
    info.command.type = "method";
    info.command.reexecutable = true;
    info.command.deadline = absl::Seconds(30);
    info.command.create_time = clock_.Now();
    info.command.expire_time = clock_.Now() + absl::Hours(1);
    auto watcher = std::make_shared<FakeWatcher>();
    desk.desk.Send(std::move(info), watcher);
    return watcher;
  }
  void Receive(Desk& desk, const std::string& key, CommandReceipt::Stage stage,
               absl::Status status = absl::OkStatus()) {
    desk.desk.Received("edge-1", {key, stage, std::move(status), ""});
  }
  void Due(Desk& desk, const std::string& key) {
    desk.desk.Due("edge-1", key);
    desk.Settle();
  }
  absl::StatusOr<CommandInfo> Cancel(Desk& desk, const std::string& key) {
    absl::StatusOr<CommandInfo> answer = absl::UnknownError("none yet");
    desk.desk.Cancel("edge-1", key, [&](auto told) { answer = std::move(told); });
    desk.Settle();
    return answer;
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_;
  CloudHubMetrics metrics_;
  std::unique_ptr<SqliteCommandStore> store_ =
      *SqliteCommandStore::Open(folder_.File("commands.db"), {}, 1 << 30, clock_);
  FencingStore shared_{*store_};
  Desk a_{shared_, clock_, metrics_};
  Desk b_{shared_, clock_, metrics_};
};

// cloudhub-4.4
TEST_F(CommandDeskReplicasTest, WhatOneQueuesTheOtherSends) {
  Connect(b_);
  Settle();
  auto watcher = Send(a_, "a");
  Settle();
  EXPECT_THAT(b_.queued, ElementsAre("a"));
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED"));
  Due(b_, "a");
  EXPECT_THAT(b_.sent, ElementsAre("a"));
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("SENT"));
  Receive(b_, "a", CommandReceipt::Stage::kDone);
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("DONE", "(OK)"));
  EXPECT_THAT(a_.sent, IsEmpty());
}

// link-10.3: in the order in which the store took them.
TEST_F(CommandDeskReplicasTest, TheOrderIsThatOfTheStore) {
  Send(a_, "a");
  Send(b_, "b");
  a_.Settle();
  b_.Settle();
  Send(a_, "c");
  a_.Settle();
  Connect(b_);
  Settle();
  EXPECT_THAT(b_.queued, ElementsAre("a", "b", "c"));
  // Just before its own, and not heard of yet.
  Send(a_, "d");
  Send(b_, "e");
  a_.Settle();
  b_.queued.clear();
  b_.Settle();
  EXPECT_THAT(b_.queued, ElementsAre("a", "b", "c", "d", "e"));
}

// link-2.7, link-10.1: the node goes from b to a, which b does not hear of; what was executed there
// meanwhile ends there.
TEST_F(CommandDeskReplicasTest, ASessionThatIsOverSaysNothing) {
  Connect(b_);
  Settle();
  auto watcher = Send(b_, "a");
  b_.Settle();
  Due(b_, "a");
  Connect(a_);
  a_.Settle();
  EXPECT_THAT(a_.queued, ElementsAre("a"));
  Receive(b_, "a", CommandReceipt::Stage::kReturned, link::NoCommandTaker("method"));
  b_.Settle();
  EXPECT_EQ((*store_->Find("edge-1", "a"))->progress.stage, link::CommandStage::kSent);
  EXPECT_EQ(GetErrorInfo(Cancel(b_, "a").status()).reason, "COMMAND_SENT");
  Due(a_, "a");
  EXPECT_THAT(a_.sent, ElementsAre("a"));
  Receive(a_, "a", CommandReceipt::Stage::kDone);
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "SENT", "DONE", "(OK)"));
}

// What it does not know of the last session elsewhere it reads before it sends.
TEST_F(CommandDeskReplicasTest, NothingIsSentBeforeTheQueueIsRead) {
  Connect(a_);
  a_.Settle();
  Send(a_, "a");
  a_.Settle();
  a_.session = 0;
  Connect(b_);
  b_.Settle();
  Due(b_, "a");
  Receive(b_, "a", CommandReceipt::Stage::kStarted);
  Receive(b_, "a", CommandReceipt::Stage::kDone);
  Connect(a_);
  a_.desk.Tick();
  EXPECT_THAT(a_.queued, IsEmpty());
  b_.Settle();  // Too late: the box will say it again.
  a_.Settle();
  EXPECT_THAT(a_.queued, ElementsAre("a"));
  Due(a_, "a");
  EXPECT_THAT(a_.sent, ElementsAre("a"));
}

// A promise is kept by whoever has the node: one that was started is not called expired.
TEST_F(CommandDeskReplicasTest, AStartElsewhereIsNotForgotten) {
  auto watcher = Send(a_, "a");
  a_.Settle();
  Connect(b_);
  b_.Settle();
  Due(b_, "a");
  Receive(b_, "a", CommandReceipt::Stage::kStarted);
  b_.Settle();
  Connect(a_);
  a_.Settle();
  Due(a_, "a");
  Receive(a_, "a", CommandReceipt::Stage::kReturned, absl::UnavailableError("its taker is gone"));
  a_.Settle();
  EXPECT_EQ(GetErrorInfo(Cancel(a_, "a").status()).reason, "COMMAND_SENT");
  clock_.Advance(absl::Hours(1) + absl::Seconds(30));
  a_.desk.Tick();
  a_.Settle();
  EXPECT_EQ(watcher->Take().at(3), "DONE COMMAND_OUTCOME_UNKNOWN");
}

// Its own last write may have failed, and the other's not.
TEST_F(CommandDeskReplicasTest, WhatCouldNotBeSavedDoesNotUndoWhatTheOtherSaved) {
  Connect(a_);
  a_.Settle();
  Send(a_, "a");
  a_.Settle();
  Due(a_, "a");
  shared_.fails = absl::UnavailableError("the database is away");
  Receive(a_, "a", CommandReceipt::Stage::kReturned, link::NoCommandTaker("method"));
  a_.Settle();
  shared_.fails = absl::OkStatus();
  a_.session = 0;
  Connect(b_);
  b_.Settle();
  Due(b_, "a");
  clock_.Advance(absl::Seconds(5));
  a_.desk.Tick();
  a_.Settle();
  EXPECT_TRUE((*store_->Find("edge-1", "a"))->progress.at_box);
}

// link-10.11
TEST_F(CommandDeskReplicasTest, AnyHubCancelsWhatWaits) {
  Connect(b_);
  Settle();
  auto watcher = Send(b_, "a");
  b_.Settle();
  EXPECT_THAT(b_.queued, ElementsAre("a"));
  absl::StatusOr<CommandInfo> cancelled = Cancel(a_, "a");
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->command.progress.stage, link::CommandStage::kCancelled);
  Due(b_, "a");  // Before it has heard of that.
  EXPECT_THAT(b_.sent, IsEmpty());
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "CANCELLED ", "(OK)"));
  EXPECT_EQ(GetErrorInfo(Cancel(a_, "a").status()).reason, "COMMAND_ENDED");
  EXPECT_EQ(GetErrorInfo(Cancel(a_, "none").status()).reason, "COMMAND_UNKNOWN");
}

// link-10.10: without a session no hub's timer ends it, but the store's time.
TEST_F(CommandDeskReplicasTest, WhatWaitsForANodeThatIsNowhereExpires) {
  auto watcher = Send(a_, "a");
  a_.Settle();
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(a_.desk.NextWake(), absl::InfiniteDuration());
  a_.desk.Tick();
  EXPECT_FALSE(a_.Settle());
  b_.desk.Sweep();
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "EXPIRED COMMAND_EXPIRED", "(OK)"));
}

TEST_F(CommandDeskReplicasTest, WhatWaitsAtItsHubExpiresByItsTimer) {
  Connect(b_);
  Settle();
  auto watcher = Send(a_, "a");
  Settle();
  clock_.Advance(absl::Hours(1));
  b_.desk.Tick();
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "EXPIRED COMMAND_EXPIRED", "(OK)"));
}

// It ends while its sender's hub waits for the store's answer.
TEST_F(CommandDeskReplicasTest, AnEndIsHeardHoweverEarlyItComes) {
  Connect(b_);
  Settle();
  auto watcher = Send(a_, "a");
  auto work = std::move(a_.calls.front());
  a_.calls.pop_front();
  auto answer = work();
  b_.desk.Reload("edge-1");
  b_.Settle();
  Due(b_, "a");
  Receive(b_, "a", CommandReceipt::Stage::kDone);
  b_.Settle();
  a_.desk.Reload("edge-1");
  answer();
  a_.Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "DONE", "(OK)"));
  // And one that repeats the key hears it at once, at either.
  for (Desk* desk : {&a_, &b_}) {
    auto again = Send(*desk, "a");
    desk->Settle();
    EXPECT_THAT(again->Take(), ElementsAre("DONE", "(OK)"));
  }
}

// Announcements were lost.
TEST_F(CommandDeskReplicasTest, AllThatWaitsIsReadAgain) {
  Connect(b_);
  Settle();
  auto watcher = Send(a_, "a");
  a_.Settle();
  b_.desk.Reload("edge-1");
  b_.Settle();
  Due(b_, "a");
  Receive(b_, "a", CommandReceipt::Stage::kDone);
  b_.Settle();
  a_.desk.ReloadAll();
  a_.Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "DONE", "(OK)"));
  a_.desk.ReloadAll();
  EXPECT_FALSE(a_.Settle()) << "nothing waits any more";
}

// A hub has one of that key in its memory alone: that is another one's business.
TEST_F(CommandDeskReplicasTest, WhatIsInMemoryAloneIsNotTheStores) {
  auto waits = Send(a_, "a", Delivery::kWait);
  Send(b_, "a");
  b_.Settle();
  ASSERT_TRUE(Cancel(b_, "a").ok());
  Settle();
  EXPECT_THAT(waits->Take(), ElementsAre("ACCEPTED"));
}

}  // namespace
}  // namespace skerry::cloudhub
