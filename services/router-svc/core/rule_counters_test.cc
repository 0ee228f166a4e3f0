#include "services/router-svc/core/rule_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skerry::router {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// [rt-4.1]
TEST(RuleCountersTest, GoesOnFromWhatTheObjectSays) {
  RuleCounters counters;
  counters.Follow("ns/r", "u1", {.success_messages = 7, .fail_messages = 2, .error = "old"});
  EXPECT_THAT(counters.Take(), IsEmpty());
  counters.Succeeded("ns/r", 3);
  counters.Failed("ns/r", "new");
  const auto changes = counters.Take();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].status,
            (RuleStatus{.success_messages = 10, .fail_messages = 3, .error = "new"}));
  EXPECT_THAT(counters.Take(), IsEmpty());
}

// [rt-4.2] Our own write comes back by the watch.
TEST(RuleCountersTest, ItsOwnStatusChangesNothing) {
  RuleCounters counters;
  counters.Follow("ns/r", "u1", {});
  counters.Succeeded("ns/r");
  counters.Take();
  counters.Follow("ns/r", "u1", {.success_messages = 1});
  counters.Follow("ns/r", "u1", {.success_messages = 99});
  EXPECT_THAT(counters.Take(), IsEmpty());
}

TEST(RuleCountersTest, ANewRuleBeginsAnew) {
  RuleCounters counters;
  counters.Follow("ns/r", "u1", {});
  counters.Succeeded("ns/r");
  counters.Follow("ns/r", "u2", {});
  EXPECT_THAT(counters.Take(), IsEmpty());
  counters.Forget("ns/r");
  counters.Succeeded("ns/r");
  counters.Failed("ns/r", "x");
  counters.SetFault("ns/r", "x");
  EXPECT_THAT(counters.Take(), IsEmpty());
}

TEST(RuleCountersTest, WhatWasNotWrittenIsTakenAgain) {
  RuleCounters counters;
  counters.Follow("ns/r", "u1", {});
  counters.Succeeded("ns/r");
  const auto first = counters.Take();
  counters.Return(first[0]);
  counters.Succeeded("ns/r");
  const auto second = counters.Take();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].status.success_messages, 2);
  counters.Follow("ns/r", "u2", {});
  counters.Return(second[0]);  // Of a rule that is gone.
  EXPECT_THAT(counters.Take(), IsEmpty());
}

TEST(RuleCountersTest, AFaultGoesWhenTheRuleIsRight) {
  RuleCounters counters;
  counters.Follow("ns/r", "u1", {});
  counters.SetFault("ns/r", "no endpoint");
  EXPECT_EQ(counters.Take()[0].status, (RuleStatus{.error = "no endpoint"}));
  counters.SetFault("ns/r", "");
  EXPECT_EQ(counters.Take()[0].status, RuleStatus{});
  counters.Failed("ns/r", "refused");
  counters.SetFault("ns/r", "");
  EXPECT_EQ(counters.Take()[0].status.error, "refused");
  counters.Failed("ns/r", std::string(5000, 'x'));
  EXPECT_THAT(counters.Take()[0].status.error, SizeIs(1024));
}

}  // namespace
}  // namespace skerry::router
