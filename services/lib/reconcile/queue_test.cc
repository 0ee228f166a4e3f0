#include "services/lib/reconcile/queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace skerry::reconcile {
namespace {

class ManualClock final : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch() + now_; }
  absl::Duration Monotonic() override { return now_; }
  void Advance(absl::Duration by) { now_ += by; }

 private:
  absl::Duration now_ = absl::Seconds(1000);
};

const absl::StatusOr<Outcome> kDone = Outcome::Done();
const absl::StatusOr<Outcome> kFailed = absl::UnavailableError("down");

class QueueTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  Queue queue_{clock_, {}};
};

TEST_F(QueueTest, HandsOutKeysInOrderAndOnce) {
  queue_.Add("a");
  queue_.Add("b");
  queue_.Add("a");
  EXPECT_EQ(queue_.waiting(), 2u);
  EXPECT_EQ(queue_.TryTake(), "a");
  EXPECT_EQ(queue_.TryTake(), "b");
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
}

TEST_F(QueueTest, KeyInWorkWaitsForItsWorker) {
  queue_.Add("a");
  ASSERT_EQ(queue_.TryTake(), "a");
  queue_.Add("a");
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
  EXPECT_EQ(queue_.Finish("a", kDone), Result::kSuccess);
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, FailureBacksOffAndDoublesToTheBound) {
  queue_.Add("a");
  absl::Duration expected = absl::Milliseconds(5);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(queue_.TryTake(), "a") << i;
    EXPECT_EQ(queue_.Finish("a", kFailed), Result::kRetry);
    clock_.Advance(expected - absl::Nanoseconds(1));
    EXPECT_EQ(queue_.TryTake(), std::nullopt) << i;
    clock_.Advance(absl::Nanoseconds(1));
    expected = std::min(expected * 2, absl::Minutes(5));
  }
}

TEST_F(QueueTest, SuccessForgetsFailures) {
  queue_.Add("a");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(queue_.TryTake(), "a");
    queue_.Finish("a", kFailed);
    clock_.Advance(absl::Minutes(5));
  }
  ASSERT_EQ(queue_.TryTake(), "a");
  queue_.Finish("a", kDone);
  queue_.Add("a");
  ASSERT_EQ(queue_.TryTake(), "a");
  queue_.Finish("a", kFailed);
  clock_.Advance(absl::Milliseconds(5));
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, TerminalErrorIsNotRetriedUntilTheKeyIsAddedAgain) {
  for (auto status : {absl::InvalidArgumentError(""), absl::FailedPreconditionError(""),
                      absl::UnimplementedError("")}) {
    queue_.Add("a");
    ASSERT_EQ(queue_.TryTake(), "a");
    EXPECT_EQ(queue_.Finish("a", status), Result::kTerminal);
    clock_.Advance(absl::Hours(1));
    EXPECT_EQ(queue_.TryTake(), std::nullopt);
  }
  queue_.Add("a");
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, RecheckComesAfterItsDelay) {
  queue_.Add("a");
  ASSERT_EQ(queue_.TryTake(), "a");
  EXPECT_EQ(queue_.Finish("a", Outcome::RecheckAfter(absl::Seconds(10))), Result::kRecheck);
  EXPECT_EQ(queue_.delayed(), 1u);
  clock_.Advance(absl::Seconds(9));
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, AddMakesADelayedKeyDueAtOnceAndOnce) {
  queue_.AddAfter("a", absl::Seconds(10));
  queue_.Add("a");
  ASSERT_EQ(queue_.TryTake(), "a");
  queue_.Finish("a", kDone);
  clock_.Advance(absl::Seconds(20));
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
}

TEST_F(QueueTest, EarlierOfTwoDelaysCounts) {
  queue_.AddAfter("a", absl::Seconds(10));
  queue_.AddAfter("a", absl::Seconds(2));
  queue_.AddAfter("a", absl::Seconds(30));
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, FailingKeyThatChangesDoesNotSpin) {
  queue_.Add("a");
  ASSERT_EQ(queue_.TryTake(), "a");
  queue_.Add("a");
  queue_.Finish("a", kFailed);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
  clock_.Advance(absl::Milliseconds(5));
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, DelayWhileInWorkIsKept) {
  queue_.Add("a");
  ASSERT_EQ(queue_.TryTake(), "a");
  queue_.AddAfter("a", absl::Seconds(1));
  queue_.Finish("a", kDone);
  EXPECT_EQ(queue_.TryTake(), std::nullopt);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(queue_.TryTake(), "a");
}

TEST_F(QueueTest, RefusesNewKeysAtTheBoundAndCounts) {
  Queue small(clock_, {.keys_max = 2});
  EXPECT_TRUE(small.Add("a"));
  EXPECT_TRUE(small.AddAfter("b", absl::Seconds(1)));
  EXPECT_FALSE(small.Add("c"));
  EXPECT_FALSE(small.AddAfter("d", absl::Seconds(1)));
  EXPECT_TRUE(small.Add("a"));
  EXPECT_EQ(small.refused(), 2u);
}

TEST_F(QueueTest, StopWakesWaitingWorkers) {
  Queue queue(clock_, {});
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&queue] { EXPECT_EQ(queue.Take(), std::nullopt); });
  queue.Stop();
  for (std::thread& worker : workers) worker.join();
  EXPECT_FALSE(queue.Add("a"));
}

}  // namespace
}  // namespace skerry::reconcile
