#include "services/edge-meta-svc/core/sync_lag.h"

#include <gtest/gtest.h>

namespace skerry::edgemeta {
namespace {

absl::Duration At(int seconds) { return absl::Seconds(1000 + seconds); }

TEST(SyncLagTest, GrowsWhileLinkedUntilTheTypeIsInStep) {
  SyncLag lag({"pods", "nodes"});
  lag.Linked(true, At(0));
  EXPECT_TRUE(lag.grows());
  lag.Subscribed("pods", At(1));
  EXPECT_EQ(lag.Of("pods", At(7)), absl::Seconds(7)) << "asking for it does not bring it in step";
  lag.InStep("pods");
  EXPECT_EQ(lag.Of("pods", At(20)), absl::ZeroDuration());
  EXPECT_EQ(lag.Of("nodes", At(20)), absl::Seconds(20));
  EXPECT_TRUE(lag.grows()) << "nodes are behind";
  lag.InStep("nodes");
  EXPECT_FALSE(lag.grows());
}

TEST(SyncLagTest, IsZeroWithoutALinkThatThereNeverWas) {
  SyncLag lag({"pods"});
  EXPECT_EQ(lag.Of("pods", At(3600)), absl::ZeroDuration());
  EXPECT_FALSE(lag.grows());
  lag.Linked(false, At(3600));
  lag.Linked(true, At(7200));
  EXPECT_EQ(lag.Of("pods", At(7201)), absl::Seconds(1));
}

TEST(SyncLagTest, StaysAtZeroWithoutALinkWhenItWasInStep) {
  SyncLag lag({"pods"});
  lag.Linked(true, At(0));
  lag.InStep("pods");
  lag.Linked(false, At(10));
  EXPECT_EQ(lag.Of("pods", At(500)), absl::ZeroDuration());
  EXPECT_FALSE(lag.grows());
  lag.Linked(true, At(500));
  EXPECT_EQ(lag.Of("pods", At(503)), absl::Seconds(3)) << "counted from when the link was back";
}

TEST(SyncLagTest, ALinkThatComesAndGoesDoesNotSetItBack) {
  SyncLag lag({"pods"});
  for (int i = 0; i < 10; ++i) {
    lag.Linked(true, At(100 * i));
    lag.Subscribed("pods", At(100 * i + 1));
    lag.Linked(false, At(100 * i + 30));
    EXPECT_EQ(lag.Of("pods", At(100 * i + 90)), absl::Seconds(30 * (i + 1))) << "stands still";
  }
  lag.Linked(true, At(1000));
  lag.InStep("pods");
  lag.Linked(false, At(1001));
  lag.Linked(true, At(1002));
  EXPECT_EQ(lag.Of("pods", At(1003)), absl::Seconds(1)) << "what was before is paid";
}

TEST(SyncLagTest, ANewSubscriptionOnTheSameLinkBeginsAnew) {
  SyncLag lag({"pods"});
  lag.Linked(true, At(0));
  lag.InStep("pods");
  lag.Subscribed("pods", At(50));
  EXPECT_EQ(lag.Of("pods", At(55)), absl::Seconds(5));
  lag.Subscribed("pods", At(60));
  EXPECT_EQ(lag.Of("pods", At(65)), absl::Seconds(15)) << "the second was asked for while behind";
}

TEST(SyncLagTest, ASecondWordOfTheSameLinkChangesNothing) {
  SyncLag lag({"pods"});
  lag.Linked(true, At(0));
  lag.InStep("pods");
  lag.Linked(true, At(5));
  EXPECT_EQ(lag.Of("pods", At(9)), absl::ZeroDuration());
}

TEST(SyncLagTest, WhatIsCommittedAfterTheLinkHasEndedIsNotInStep) {
  SyncLag lag({"pods"});
  lag.Linked(true, At(0));
  lag.Linked(false, At(4));
  lag.InStep("pods");
  EXPECT_EQ(lag.Of("pods", At(9)), absl::Seconds(4));
}

TEST(SyncLagTest, TypesThatAreNotKeptAreIgnored) {
  SyncLag lag({"pods"});
  lag.Linked(true, At(0));
  lag.Subscribed("leases", At(0));
  lag.InStep("leases");
  EXPECT_EQ(lag.Of("leases", At(9)), absl::ZeroDuration());
  EXPECT_EQ(lag.Of("pods", At(9)), absl::Seconds(9));
}

}  // namespace
}  // namespace skerry::edgemeta
