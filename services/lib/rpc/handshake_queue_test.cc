#include "services/lib/rpc/handshake_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace skerry::rpc {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kNow = absl::Seconds(100);

std::vector<HandshakeQueue::Id> TakeAll(HandshakeQueue& queue, absl::Duration now = kNow) {
  std::vector<HandshakeQueue::Id> taken;
  while (auto id = queue.Next(now)) taken.push_back(*id);
  return taken;
}

TEST(HandshakeQueueTest, AddressesTakeTurns) {
  HandshakeQueue queue({.handshakes_max = 100});
  for (int i = 1; i <= 4; ++i) queue.Add(i, "a");
  queue.Add(11, "b");
  queue.Add(12, "b");
  queue.Add(21, "c");
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 11, 21, 2, 12, 3, 4));
}

TEST(HandshakeQueueTest, OnlySoManyAreUnderWayAndNoAddressHasAll) {
  HandshakeQueue queue({.handshakes_max = 4});
  for (int i = 1; i <= 10; ++i) queue.Add(i, "a");
  EXPECT_THAT(TakeAll(queue), ElementsAre(1, 2, 3));
  for (int i = 11; i <= 13; ++i) queue.Add(i, "b");
  EXPECT_THAT(TakeAll(queue), ElementsAre(11));
  EXPECT_EQ(queue.under_way(), 4u);
  EXPECT_EQ(queue.waiting(), 9u);
  queue.Remove(2);
  EXPECT_THAT(TakeAll(queue), ElementsAre(4));
  queue.Remove(1);
  EXPECT_THAT(TakeAll(queue), ElementsAre(12));
}

TEST(HandshakeQueueTest, AFloodFromOneAddressIsRefusedBeforeItFillsTheQueue) {
  HandshakeQueue queue({.handshakes_max = 1, .waiting_max = 8});
  for (int i = 1; i <= 6; ++i) EXPECT_TRUE(queue.Add(i, "a"));
  EXPECT_FALSE(queue.Add(7, "a"));
  EXPECT_FALSE(queue.full());
  EXPECT_TRUE(queue.Add(11, "b"));
  EXPECT_TRUE(queue.Add(12, "c"));
  EXPECT_TRUE(queue.full());
  // Who went away while it waited is not served.
  for (int i : {1, 2, 11}) queue.Remove(i);
  EXPECT_FALSE(queue.full());
  EXPECT_THAT(TakeAll(queue), ElementsAre(3));
  queue.Remove(3);
  EXPECT_THAT(TakeAll(queue), ElementsAre(12));
}

TEST(HandshakeQueueTest, AHandshakeThatStallsStopsCounting) {
  HandshakeQueue queue({.handshakes_max = 1, .handshake_max = absl::Seconds(2)});
  queue.Add(1, "a");
  queue.Add(2, "a");
  EXPECT_THAT(TakeAll(queue), ElementsAre(1));
  EXPECT_THAT(queue.Overdue(kNow + absl::Seconds(1)), ElementsAre());
  EXPECT_THAT(queue.Overdue(kNow + absl::Seconds(2)), ElementsAre(1));
  EXPECT_THAT(TakeAll(queue, kNow + absl::Seconds(2)), ElementsAre(2));
  queue.Remove(1);
  queue.Remove(2);
  EXPECT_EQ(queue.under_way() + queue.waiting(), 0u);
}

// One address that dials in vain, 5 waiting, and another one that does not.
class FaultyAddressTest : public ::testing::Test {
 protected:
  FaultyAddressTest() {
    for (int i = 1; i <= 5; ++i) queue_.Add(i, "faulty");
    for (int i = 11; i <= 12; ++i) queue_.Add(i, "good");
  }

  HandshakeQueue queue_{{.faults_max = 3,
                         .faults_forgotten = 1,
                         .paced_gap = absl::Seconds(2),
                         .paced_for = absl::Seconds(10)}};
};

TEST_F(FaultyAddressTest, IsPacedAndOthersAreNot) {
  for (int i = 0; i < 4; ++i) queue_.Fault("faulty", kNow);
  EXPECT_EQ(queue_.Paced(kNow), 1u);
  EXPECT_THAT(TakeAll(queue_), ElementsAre(1, 11, 12));
  EXPECT_THAT(TakeAll(queue_, kNow + absl::Seconds(1)), ElementsAre());
  EXPECT_THAT(TakeAll(queue_, kNow + absl::Seconds(2)), ElementsAre(2));
  // One more fault, and the time begins anew.
  queue_.Fault("faulty", kNow + absl::Seconds(9));
  EXPECT_THAT(TakeAll(queue_, kNow + absl::Seconds(18)), ElementsAre(3));
  EXPECT_THAT(TakeAll(queue_, kNow + absl::Seconds(19)), ElementsAre(4, 5));
  EXPECT_EQ(queue_.Paced(kNow + absl::Seconds(19)), 0u);
}

TEST_F(FaultyAddressTest, FewFaultsAreForgotten) {
  for (int i = 0; i < 3; ++i) queue_.Fault("faulty", kNow);
  for (int i = 1; i <= 20; ++i) queue_.Fault("faulty", kNow + i * absl::Seconds(1));
  EXPECT_EQ(queue_.Paced(kNow + absl::Seconds(20)), 0u);
  EXPECT_THAT(TakeAll(queue_, kNow + absl::Seconds(20)), ElementsAre(1, 11, 2, 12, 3, 4, 5));
}

TEST(HandshakeQueueTest, AccountIsKeptOfABoundedNumberOfAddresses) {
  HandshakeQueue queue({.faults_max = 0, .faulty_max = 8, .paced_for = absl::Seconds(10)});
  for (int i = 0; i < 20; ++i) queue.Fault(absl::StrCat(i), kNow);
  EXPECT_EQ(queue.Paced(kNow), 8u);
  queue.Fault("later", kNow + absl::Seconds(10));
  EXPECT_EQ(queue.Paced(kNow + absl::Seconds(10)), 1u);
}

}  // namespace
}  // namespace skerry::rpc
