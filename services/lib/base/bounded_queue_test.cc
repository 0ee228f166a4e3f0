#include "services/lib/base/bounded_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace skerry {
namespace {

TEST(BoundedQueueTest, RefusesAtTheByteBoundAndKeepsTheItem) {
  BoundedQueue<std::string> queue(10);
  std::string a(6, 'a'), b(5, 'b');
  EXPECT_TRUE(queue.TryPush(a, 6));
  EXPECT_FALSE(queue.TryPush(b, 5));
  EXPECT_EQ(b, "bbbbb");
  EXPECT_EQ(queue.refused(), 1u);
  EXPECT_EQ(*queue.Pop(absl::ZeroDuration()), "aaaaaa");
  EXPECT_TRUE(queue.TryPush(b, 5));
  EXPECT_EQ(queue.bytes(), 5u);
}

TEST(BoundedQueueTest, CloseWakesAWaiterAndDrains) {
  BoundedQueue<int> queue(10);
  int one = 1;
  ASSERT_TRUE(queue.TryPush(one, 1));
  std::thread closer([&] { queue.Close(); });
  EXPECT_EQ(queue.Pop(absl::InfiniteDuration()), 1);
  EXPECT_EQ(queue.Pop(absl::InfiniteDuration()), std::nullopt);
  closer.join();
  EXPECT_FALSE(queue.TryPush(one, 1));
}

}  // namespace
}  // namespace skerry
