#include "services/eventbus-svc/core/topic_filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::eventbus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TopicFiltersTest, Covers) {
  const struct {
    const char* filter;
    const char* other;
    bool covers;
  } kCases[] = {
      {"a/b", "a/b", true},         {"a/b", "a/c", false},      {"a/+", "a/b", true},
      {"a/+", "a/+", true},         {"a/b", "a/+", false},      {"a/#", "a/b/c", true},
      {"a/#", "a/+/c", true},       {"a/#", "a", true},         {"a/#", "a/#", true},
      {"a/+", "a/#", false},        {"a/+/#", "a/#", false},    {"a/#", "a/+/#", true},
      {"a/+", "a/b/c", false},      {"a/b/c", "a/b", false},    {"a/b", "a/b/c", false},
      {"#", "a/b", true},           {"+/b", "a/b", true},       {"#", "$SYS/x", false},
      {"+/x", "$SYS/x", false},     {"$SYS/#", "$SYS/x", true}, {"+/user/#", "ns/user", true},
      {"+/user/#", "+/user", true}, {"a/+/c", "a/b/+", false},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(FilterCovers(c.filter, c.other), c.covers) << c.filter << " " << c.other;
  }
}

TEST(TopicFiltersTest, OnlyWhatAddsTopicsIsAskedForBesideTheFixedOnes) {
  const std::vector<std::string> fixed = {"+/user/#", "alarms/#"};
  EXPECT_THAT(FiltersBeside(fixed, {"ns/user/a", "alarms/#", "alarms/x", "+/user/#"}), IsEmpty());
  EXPECT_THAT(FiltersBeside(fixed, {"ns/a", "ns/a/b", "ns/a/#", "ns/+/b", "other"}),
              ElementsAre("ns/+/b", "ns/a/#", "other"));
}

}  // namespace
}  // namespace skerry::eventbus
