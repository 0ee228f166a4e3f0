// The desk without sessions: what a store of its own mind, and callers that go, do to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cloudhub-svc/sessions/command_desk_fixture.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using testing::FakeWatcher;

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

}  // namespace
}  // namespace skerry::cloudhub
