// The desk without sessions: what a store of its own mind, and callers that go, do to it.
#include "services/cloudhub-svc/sessions/command_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/cloudhub-svc/store/sqlite_command_store.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using testing::FakeWatcher;

// A store that fails, and that others change.
class SharedStore final : public CommandStore {
 public:
  explicit SharedStore(CommandStore& store) : store_(store) {}

  absl::StatusOr<bool> Insert(const StoredCommand& command) override {
    return store_.Insert(command);
  }
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                    absl::string_view key) override {
    if (!find_fails.ok()) return find_fails;
    return store_.Find(node, key);
  }
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) override {
    if (!unended_fails.ok()) return unended_fails;
    return store_.Unended(node);
  }
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node, absl::string_view after,
                                                  size_t count_max) override {
    return store_.List(node, after, count_max);
  }
  absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& progress, uint64_t epoch) override {
    if (!update_fails.ok()) return update_fails;
    if (before_update) std::exchange(before_update, nullptr)();
    return store_.Update(node, key, progress, epoch);
  }
  absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& end) override {
    if (!update_fails.ok()) return update_fails;
    return store_.Cancel(node, key, end);
  }
  absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) override {
    return store_.Sweep(grace, retention);
  }

  absl::Status find_fails;
  absl::Status update_fails;
  absl::Status unended_fails;
  std::function<void()> before_update;  // Once.

 private:
  CommandStore& store_;
};

class CommandDeskTest : public ::testing::Test {
 protected:
  CommandDeskTest() : registry_("cloudhub-svc"), metrics_(registry_) {
    store_ = *SqliteCommandStore::Open(folder_.File("commands.db"), {}, 1 << 30, clock_);
    shared_ = std::make_unique<SharedStore>(*store_);
    Restart();
  }

  void Restart() {
    desk_ = std::make_unique<CommandDesk>(
        config_, *shared_, clock_, metrics_, log::Logger::Null(),
        [this](const std::string&, link::cloud::Event event) {
          if (const auto* queue = std::get_if<link::cloud::QueueCommand>(&event))
            queued_.push_back(queue->key);
          if (const auto* send = std::get_if<link::cloud::SendCommand>(&event))
            sent_.push_back(send->command.key);
          if (std::holds_alternative<link::cloud::DropCommand>(event) && !due_.empty())
            desk_->Due("edge-1", std::exchange(due_, ""));
        },
        [](const std::string&) { return uint64_t{1}; },
        [this](auto work) {
          if (store_stops_) return false;
          store_calls_.push_back(std::move(work));
          return true;
        });
  }
  // The store's next answer.
  void Answer() {
    auto work = std::move(store_calls_.front());
    store_calls_.pop_front();
    work()();
  }
  // The store answers all that it is asked.
  void Settle() {
    while (!store_calls_.empty()) Answer();
  }
  void Due(const std::string& key) {
    desk_->Due("edge-1", key);
    Settle();
  }
  void Tick() {
    desk_->Tick();
    Settle();
  }
  std::shared_ptr<absl::StatusOr<CommandInfo>> AskCancel(const std::string& key) {
    auto answer = std::make_shared<absl::StatusOr<CommandInfo>>(absl::UnknownError("none yet"));
    desk_->Cancel("edge-1", key,
                  [answer](absl::StatusOr<CommandInfo> told) { *answer = std::move(told); });
    return answer;
  }
  absl::StatusOr<CommandInfo> Cancel(const std::string& key) {
    auto answer = AskCancel(key);
    Settle();
    return *answer;
  }
  std::shared_ptr<FakeWatcher> Send(const std::string& key, Delivery delivery = Delivery::kQueue) {
    auto watcher = AskSend(key, delivery);
    Settle();
    return watcher;
  }
  std::shared_ptr<FakeWatcher> AskSend(const std::string& key,
                                       Delivery delivery = Delivery::kQueue) {
    CommandInfo info;
    info.delivery = delivery;
    info.command.node = "edge-1";
    info.command.key = key;
    info.command.type = "method";
    info.command.deadline = absl::Seconds(30);
    info.command.create_time = clock_.Now();
    info.command.expire_time = clock_.Now() + absl::Hours(1);
    auto watcher = std::make_shared<FakeWatcher>();
    desk_->Send(std::move(info), watcher);
    return watcher;
  }

  // Another hub ends it.
  void EndElsewhere(const std::string& key) {
    link::CommandProgress ended;
    ended.stage = link::CommandStage::kDone;
    ended.at_box = true;
    ASSERT_TRUE(*store_->Update("edge-1", key, ended, 1));
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_;
  CloudHubMetrics metrics_;
  CommandDesk::Config config_;
  std::unique_ptr<SqliteCommandStore> store_;
  std::unique_ptr<SharedStore> shared_;
  std::deque<absl::AnyInvocable<absl::AnyInvocable<void()>()>> store_calls_;
  bool store_stops_ = false;  // It answers what it was asked, and is asked no more.
  std::vector<std::string> sent_;
  std::vector<std::string> queued_;  // Into the session, in this order.
  std::string due_;                  // The session wants it when the next is dropped.
  std::unique_ptr<CommandDesk> desk_;
};

// link-10.3: also over a restart.
TEST_F(CommandDeskTest, WhatAnEarlierProcessQueuedGoesFirst) {
  Send("a");
  Send("b");
  Restart();
  Send("b");  // Its sender asks again.
  Send("c");
  queued_.clear();
  desk_->NodeConnected("edge-1");
  Settle();
  EXPECT_THAT(queued_, ElementsAre("a", "b", "c"));
}

// The store forgets by the wall clock and its own retention.
TEST_F(CommandDeskTest, AKeyThatTheStoreHasForgottenIsNew) {
  config_.retention = absl::Minutes(1);
  Restart();
  Send("a");
  ASSERT_TRUE(Cancel("a").ok());
  clock_.Advance(absl::Minutes(5));
  desk_->Sweep();
  Settle();
  auto watcher = Send("a");
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED"));
  clock_.Advance(absl::Minutes(30));
  Tick();
  EXPECT_TRUE(watcher->Take().empty());
  clock_.Advance(absl::Minutes(30));
  Tick();
  EXPECT_THAT(watcher->Take(), ElementsAre("EXPIRED COMMAND_EXPIRED", "(OK)"));
  // Until the memory forgets it.
  clock_.Advance(config_.kept);
  Tick();
  EXPECT_EQ(desk_->NextWake(), absl::InfiniteDuration());
}

// The store's sweep goes by the wall clock, which may have stepped.
TEST_F(CommandDeskTest, ACallerHearsTheEndThatIsInTheStore) {
  auto watcher = Send("a");
  Due("a");
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "SENT"));
  clock_.SetNow(clock_.Now() + absl::Hours(3));
  desk_->Sweep();
  Settle();
  desk_->Received("edge-1",
                  {"a", link::CommandReceipt::Stage::kDone, absl::OkStatus(), "response"});
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("DONE COMMAND_OUTCOME_UNKNOWN", "(OK)"));
  absl::StatusOr<std::optional<StoredCommand>> stored = store_->Find("edge-1", "a");
  ASSERT_TRUE(stored.ok() && stored->has_value());
  EXPECT_EQ((*stored)->progress.status, desk_->Find("edge-1", "a")->command.progress.status);
}

// It ends between the look at it and the mark that it is sent.
TEST_F(CommandDeskTest, WhatHasEndedElsewhereIsNotSent) {
  auto watcher = Send("a");
  shared_->before_update = [this] { EndElsewhere("a"); };
  Due("a");
  EXPECT_TRUE(sent_.empty());
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "DONE", "(OK)"));
}

TEST_F(CommandDeskTest, NothingIsSentBeforeItIsKnownHowItEndedElsewhere) {
  auto watcher = Send("a");
  shared_->before_update = [this] {
    EndElsewhere("a");
    shared_->find_fails = absl::UnavailableError("the database is away");
  };
  Due("a");
  EXPECT_TRUE(sent_.empty());
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED"));
  shared_->find_fails = absl::OkStatus();
  clock_.Advance(config_.store_retry);
  queued_.clear();
  Tick();
  EXPECT_THAT(queued_, ElementsAre("a"));
  Due("a");
  EXPECT_TRUE(sent_.empty());
  EXPECT_THAT(watcher->Take(), ElementsAre("DONE", "(OK)"));
}

// link-10.11
TEST_F(CommandDeskTest, ACancelTellsThatItHasEndedElsewhere) {
  auto watcher = Send("a");
  EndElsewhere("a");
  EXPECT_EQ(GetErrorInfo(Cancel("a").status()).reason, "COMMAND_ENDED");
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "DONE", "(OK)"));
}

// link-10.11: a hub that is killed then would send it.
TEST_F(CommandDeskTest, WhatCantBeStoredAsCancelledIsNotCancelled) {
  auto watcher = Send("a");
  shared_->update_fails = absl::UnavailableError("the database is away");
  EXPECT_TRUE(absl::IsUnavailable(Cancel("a").status()));
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED"));
  shared_->update_fails = absl::OkStatus();
  EXPECT_TRUE(Cancel("a").ok());
  EXPECT_THAT(watcher->Take(), ElementsAre("CANCELLED ", "(OK)"));
}

// L4: the desk goes on while the store does not answer.
TEST_F(CommandDeskTest, WhatTheStoreIsAskedIsAnsweredLater) {
  auto watcher = AskSend("a");
  EXPECT_TRUE(watcher->Take().empty());
  EXPECT_FALSE(desk_->Find("edge-1", "a").has_value());
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED"));
  desk_->Due("edge-1", "a");
  desk_->Due("edge-1", "a");  // Of the node's next session.
  EXPECT_TRUE(sent_.empty());
  EXPECT_TRUE(watcher->Take().empty());
  Settle();
  EXPECT_THAT(sent_, ElementsAre("a"));
  EXPECT_THAT(watcher->Take(), ElementsAre("SENT"));
}

// link-10.3: one that is in memory is not sent before one that is fetched.
TEST_F(CommandDeskTest, WhatIsInMemoryWaitsForWhatIsFetched) {
  Send("a");
  Send("b", Delivery::kWait);
  desk_->Due("edge-1", "a");
  desk_->Due("edge-1", "b");
  EXPECT_TRUE(sent_.empty());
  Settle();
  EXPECT_THAT(sent_, ElementsAre("a", "b"));
}

// link-10.11
TEST_F(CommandDeskTest, OfASendAndACancelTheFirstCounts) {
  for (const char* key : {"a", "b"}) Send(key);
  desk_->Due("edge-1", "a");
  EXPECT_EQ(GetErrorInfo(AskCancel("a")->status()).reason, "COMMAND_SENT");
  auto cancelled = AskCancel("b");
  auto again = AskCancel("b");
  desk_->Due("edge-1", "b");
  Settle();
  EXPECT_TRUE(cancelled->ok()) << cancelled->status();
  EXPECT_EQ(GetErrorInfo(again->status()).reason, "COMMAND_ENDED");
  EXPECT_THAT(sent_, ElementsAre("a"));
}

TEST_F(CommandDeskTest, AKeyIsOneCommandAlsoWhileTheStoreIsAsked) {
  auto first = AskSend("a");
  auto second = AskSend("a");
  auto third = AskSend("a", Delivery::kWait);
  Settle();
  for (const auto& watcher : {first, second, third})
    EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED"));
  EXPECT_EQ(store_->Unended("edge-1")->size(), 1u);
}

TEST_F(CommandDeskTest, OnlySoManySendersWaitForTheStore) {
  config_.store_calls_max = 2;
  Restart();
  auto first = AskSend("a");
  AskSend("b");
  EXPECT_THAT(AskSend("c")->Take(), ElementsAre("(COMMAND_STORE_BUSY)"));
  Answer();
  EXPECT_THAT(first->Take(), ElementsAre("ACCEPTED"));
  EXPECT_THAT(Send("c")->Take(), ElementsAre("ACCEPTED"));
}

TEST_F(CommandDeskTest, ADrainClosesThoseThatWaitForTheStore) {
  auto watcher = AskSend("a");
  desk_->CloseWatchers(Draining());
  Settle();
  EXPECT_THAT(watcher->Take(), ElementsAre("(DRAINING)"));
  EXPECT_EQ(store_->Unended("edge-1")->size(), 1u);
}

TEST_F(CommandDeskTest, NobodyWaitsForAStoreThatIsAskedNoMore) {
  Send("a");
  Send("b");
  auto cancelled = AskCancel("a");
  auto queued = AskSend("c");
  AskSend("d", Delivery::kWait);
  desk_->Due("edge-1", "b");
  store_stops_ = true;
  EXPECT_EQ(GetErrorInfo(AskCancel("a")->status()).reason, "DRAINING");
  EXPECT_THAT(AskSend("c", Delivery::kWait)->Take(), ElementsAre("(DRAINING)"));
  desk_->Due("edge-1", "d");
  EXPECT_TRUE(sent_.empty());
  Settle();
  EXPECT_TRUE(cancelled->ok()) << cancelled->status();
  EXPECT_THAT(queued->Take(), ElementsAre("ACCEPTED"));
  EXPECT_THAT(sent_, ElementsAre("b"));
}

// L4: not once for each session that it had meanwhile.
TEST_F(CommandDeskTest, WhatCantBeReadIsReadOnceInAWhile) {
  shared_->unended_fails = absl::UnavailableError("the database is away");
  for (int session = 0; session < 3; ++session) {
    clock_.Advance(absl::Seconds(1));
    desk_->NodeConnected("edge-1");
    Settle();
  }
  size_t reads = 0;
  for (absl::Duration time; time < config_.store_retry; time += absl::Seconds(1)) {
    clock_.Advance(absl::Seconds(1));
    desk_->Tick();
    reads += store_calls_.size();
    Settle();
  }
  EXPECT_EQ(reads, 1u);
}

TEST_F(CommandDeskTest, WhatCantBeReadIsReadLater) {
  Send("a");
  Restart();
  queued_.clear();
  shared_->unended_fails = absl::UnavailableError("the database is away");
  desk_->NodeConnected("edge-1");
  Settle();
  EXPECT_TRUE(queued_.empty());
  shared_->unended_fails = absl::OkStatus();
  clock_.Advance(config_.store_retry);
  Tick();
  EXPECT_THAT(queued_, ElementsAre("a"));
}

TEST_F(CommandDeskTest, AKeyIsTriedAgainWhereNothingWasExecuted) {
  const link::CommandReceipt returned{"a", link::CommandReceipt::Stage::kReturned,
                                      link::NoCommandTaker("method"), ""};
  const link::CommandReceipt done{"a", link::CommandReceipt::Stage::kDone, absl::OkStatus(), ""};
  auto watcher = Send("a", Delivery::kNow);
  Due("a");
  desk_->Received("edge-1", returned);
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "SENT", "DONE NO_COMMAND_TAKER", "(OK)"));
  Send("a", Delivery::kWait);
  ASSERT_TRUE(Cancel("a").ok());
  watcher = Send("a", Delivery::kNow);
  Due("a");
  desk_->Received("edge-1", done);
  EXPECT_THAT(watcher->Take(), ElementsAre("ACCEPTED", "SENT", "DONE", "(OK)"));
  EXPECT_THAT(Send("a", Delivery::kNow)->Take(), ElementsAre("DONE", "(OK)"));
}

TEST_F(CommandDeskTest, CallersThatHaveGoneTakeNoPlace) {
  std::vector<std::shared_ptr<FakeWatcher>> watchers;
  for (size_t i = 0; i < config_.watchers_max; ++i) watchers.push_back(Send("a"));
  EXPECT_THAT(Send("a")->Take(), ElementsAre("ACCEPTED", "(TOO_MANY_WATCHERS)"));
  watchers[3]->Leave();
  EXPECT_THAT(Send("a")->Take(), ElementsAre("ACCEPTED"));
}

TEST_F(CommandDeskTest, WhatIsQueuedIsWithinTheMemory) {
  config_.memory_bytes_max = 3000;
  Restart();
  Send("a");
  Send("b");
  EXPECT_THAT(Send("c")->Take(), ElementsAre("(COMMAND_QUEUE_FULL)"));
  EXPECT_THAT(Send("b")->Take(), ElementsAre("ACCEPTED"));
}

// The end of one lets another be due, which has ended elsewhere; and the memory is full.
TEST_F(CommandDeskTest, OneThatEndsMayBeForgottenAtOnce) {
  config_.memory_bytes_max = 3000;
  Restart();
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

}  // namespace
}  // namespace skerry::cloudhub
