#include "services/mappers/modbus/turn_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "services/lib/testing/fake_clock.h"

namespace skerry::mapper::modbus {
namespace {

TEST(TurnQueueTest, AFreeTurnNeedsNoPatience) {
  SystemClock clock;
  TurnQueue turns(clock);
  EXPECT_TRUE(turns.Enter(absl::ZeroDuration()));
  EXPECT_FALSE(turns.Enter(absl::ZeroDuration()));
  turns.Leave();
  EXPECT_TRUE(turns.Enter(absl::ZeroDuration()));
  turns.Leave();
}

// Each thread is let in only when the former one waits already, so their order is known.
TEST(TurnQueueTest, FirstComeFirstServed) {
  SystemClock clock;
  TurnQueue turns(clock);
  ASSERT_TRUE(turns.Enter(absl::ZeroDuration()));
  absl::Mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_TRUE(turns.Enter(absl::Seconds(30)));
      mutex.Lock();
      order.push_back(i);
      mutex.Unlock();
      turns.Leave();
    });
    while (turns.waiting() != i + 1) std::this_thread::yield();
  }
  turns.Leave();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(TurnQueueTest, WhoLosesPatienceLeavesNoGap) {
  skerry::testing::FakeClock clock;
  TurnQueue turns(clock);
  ASSERT_TRUE(turns.Enter(absl::ZeroDuration()));
  bool first = true;
  bool second = false;
  std::thread impatient([&] { first = turns.Enter(absl::Seconds(1)); });
  while (turns.waiting() != 1) std::this_thread::yield();
  std::thread patient([&] {
    second = turns.Enter(absl::Hours(1));
    turns.Leave();
  });
  while (turns.waiting() != 2) std::this_thread::yield();
  clock.Advance(absl::Seconds(2));
  impatient.join();
  EXPECT_FALSE(first);
  turns.Leave();
  patient.join();
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace skerry::mapper::modbus
