#include "services/lib/cloudspoke/sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::cloudspoke {
namespace {

using ::testing::UnorderedElementsAre;
constexpr absl::Duration kT1 = absl::Seconds(1);
constexpr absl::Duration kT2 = absl::Seconds(2);

TEST(SessionsTest, GreatestEpochIsTheOneValidSession) {
  Sessions sessions;
  EXPECT_TRUE(sessions.Connect("h1", "n", 5, kT1));
  EXPECT_TRUE(sessions.Connect("h2", "n", 6, kT1));
  EXPECT_FALSE(sessions.Connect("h1", "n", 4, kT2));
  EXPECT_TRUE(sessions.IsCurrent("h2", "n", 6));
  EXPECT_FALSE(sessions.IsCurrent("h1", "n", 5));
  EXPECT_FALSE(sessions.IsCurrent("h1", "n", 6));
  EXPECT_EQ(sessions.connected(), 1u);
}

TEST(SessionsTest, LateEndOfAFencedSessionChangesNothing) {
  Sessions sessions;
  sessions.Connect("h1", "n", 5, kT1);
  sessions.Connect("h2", "n", 6, kT1);
  EXPECT_FALSE(sessions.Disconnect("h1", "n", 5, kT2));
  EXPECT_TRUE(sessions.Find("n")->connected);
}

TEST(SessionsTest, RemembersSinceWhenANodeIsAway) {
  Sessions sessions;
  sessions.Connect("h", "n", 1, kT1);
  EXPECT_TRUE(sessions.Disconnect("h", "n", 1, kT2));
  EXPECT_FALSE(sessions.Find("n")->connected);
  EXPECT_EQ(sessions.Find("n")->changed_at, kT2);
  EXPECT_EQ(sessions.connected(), 0u);
  EXPECT_FALSE(sessions.Disconnect("h", "n", 1, kT2));
}

// Its last hub was killed, and an earlier one has not noticed yet that the node has left it.
TEST(SessionsTest, ASessionThatWasLeftBehindIsNotTheNodesAgain) {
  Sessions sessions;
  sessions.Connect("h1", "n", 5, kT1);
  sessions.Connect("h2", "n", 6, kT1);
  EXPECT_THAT(sessions.DropHub("h2", kT1), UnorderedElementsAre("n"));
  EXPECT_FALSE(sessions.Connect("h1", "n", 5, kT2));
  EXPECT_TRUE(sessions.Connect("h1", "n", 7, kT2));
}

TEST(SessionsTest, CountsTheNodesOfEachHub) {
  Sessions sessions;
  sessions.Connect("h1", "a", 1, kT1);
  sessions.Connect("h1", "b", 2, kT1);
  sessions.Connect("h2", "b", 3, kT1);
  EXPECT_EQ(sessions.connected_to("h1"), 1u);
  EXPECT_EQ(sessions.connected_to("h2"), 1u);
  sessions.Disconnect("h2", "b", 3, kT2);
  sessions.DropHub("h1", kT2);
  EXPECT_EQ(sessions.connected_to("h1") + sessions.connected_to("h2"), 0u);
  EXPECT_EQ(sessions.connected(), 0u);
}

// A hub that lost its epochs must not lock its nodes out.
TEST(SessionsTest, DisconnectedNodeMayComeBackWithASmallerEpoch) {
  Sessions sessions;
  sessions.Connect("h", "n", 9, kT1);
  sessions.Disconnect("h", "n", 9, kT1);
  EXPECT_TRUE(sessions.Connect("h", "n", 1, kT2));
}

TEST(SessionsTest, LostHubTakesItsOwnNodesOnly) {
  Sessions sessions;
  sessions.Connect("h1", "a", 1, kT1);
  sessions.Connect("h1", "b", 1, kT1);
  sessions.Connect("h2", "c", 1, kT1);
  EXPECT_THAT(sessions.DropHub("h1", kT2), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(sessions.connected(), 1u);
  EXPECT_TRUE(sessions.IsCurrent("h2", "c", 1));
}

TEST(SessionsTest, DeletionOfTheNodeCountsForThisSessionOnly) {
  Sessions sessions;
  sessions.Connect("h", "n", 1, kT1);
  sessions.NodeDeleted("n");
  EXPECT_TRUE(sessions.Find("n")->node_deleted);
  sessions.Connect("h", "n", 2, kT2);
  EXPECT_FALSE(sessions.Find("n")->node_deleted);
}

TEST(SessionsTest, WhatWasWrittenCountsForThisSessionOnly) {
  Sessions sessions;
  sessions.NodeWritten("n");
  sessions.Connect("h", "n", 1, kT1);
  EXPECT_FALSE(sessions.Find("n")->node_written);
  sessions.NodeWritten("n");
  EXPECT_TRUE(sessions.Find("n")->node_written);
  sessions.Connect("h", "n", 2, kT2);
  EXPECT_FALSE(sessions.Find("n")->node_written);
}

TEST(SessionsTest, DeletedNodeThatIsAwayIsForgotten) {
  Sessions sessions;
  sessions.Connect("h", "n", 1, kT1);
  sessions.Disconnect("h", "n", 1, kT1);
  sessions.NodeDeleted("n");
  EXPECT_FALSE(sessions.Find("n").has_value());
}

TEST(SessionsTest, KnowsTheEventStoreOfTheSession) {
  Sessions sessions;
  sessions.Connect("hub", "edge-1", 1, absl::ZeroDuration(), "store-1");
  EXPECT_EQ(sessions.Find("edge-1")->event_store_id, "store-1");
  sessions.Connect("hub", "edge-1", 2, absl::ZeroDuration(), "store-2");
  EXPECT_EQ(sessions.Find("edge-1")->event_store_id, "store-2");
}

}  // namespace
}  // namespace skerry::cloudspoke
