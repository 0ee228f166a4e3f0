#include "services/router-svc/core/topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

TEST(TopicTest, ChecksTopics) {
  for (const char* topic : {"a", "a/b", "/a", "a//b", "$hw/events", "a b"})
    EXPECT_THAT(CheckTopic("topic", topic), IsOk()) << topic;
  for (const char* topic : {"", "a/+", "#", "a\n"})
    EXPECT_THAT(CheckTopic("topic", topic), HasReason("TOPIC_INVALID")) << topic;
  EXPECT_THAT(CheckTopic("topic", std::string(kTopicBytesMax, 'x')), IsOk());
  EXPECT_THAT(CheckTopic("topic", std::string(kTopicBytesMax + 1, 'x')),
              HasReason("TOPIC_INVALID"));
}

TEST(TopicTest, ChecksFilters) {
  for (const char* filter : {"a", "a/+", "+/b", "#", "a/#", "+/+/#"})
    EXPECT_THAT(CheckTopicFilter("topic", filter), IsOk()) << filter;
  for (const char* filter : {"", "a+", "a/#/b", "a#", "+a/b"})
    EXPECT_THAT(CheckTopicFilter("topic", filter), HasReason("TOPIC_INVALID")) << filter;
}

TEST(TopicTest, Matches) {
  struct Case {
    const char* filter;
    const char* topic;
    bool matches;
  };
  for (const Case& c :
       {Case{"a/b", "a/b", true}, Case{"a/b", "a/c", false}, Case{"a/b", "a", false},
        Case{"a", "a/b", false}, Case{"a/+", "a/b", true}, Case{"a/+", "a", false},
        Case{"a/+", "a/b/c", false}, Case{"a/#", "a/b/c", true}, Case{"a/#", "a", true},
        Case{"#", "a/b", true}, Case{"+/b", "/b", true}, Case{"a/+/c", "a//c", true}}) {
    EXPECT_EQ(MatchesTopic(c.filter, c.topic), c.matches) << c.filter << " " << c.topic;
  }
}

}  // namespace
}  // namespace skerry::router
