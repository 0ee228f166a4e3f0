#include "services/eventbus-svc/core/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::IsOkAndHolds;
using ::skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kBad = absl::StatusCode::kInvalidArgument;

DeviceName Device(absl::string_view text) { return *DeviceName::Parse(text); }
NodeName Node(absl::string_view text) { return *NodeName::Parse(text); }

void ExpectTopic(absl::string_view topic, IncomingTopic want) {
  EXPECT_THAT(ParseTopic(topic), IsOkAndHolds(want)) << topic;
}

TEST(ParseTopicTest, KnowsTheDevicesTopics) {
  ExpectTopic("$hw/events/device/default/temp-1/twin/update",
              TwinUpdateTopic{Device("default/temp-1")});
  ExpectTopic("$hw/events/device/plant-a/a.b.c/twin/get", TwinGetTopic{Device("plant-a/a.b.c")});
  ExpectTopic("$hw/events/device/default/temp-1/state/update",
              StateUpdateTopic{Device("default/temp-1")});
  // Names that are words of the topics.
  ExpectTopic("$hw/events/device/twin/update/twin/update", TwinUpdateTopic{Device("twin/update")});
}

TEST(ParseTopicTest, KnowsTheNodesTopic) {
  ExpectTopic("$hw/events/node/edge-1.site/membership/get",
              MembershipGetTopic{Node("edge-1.site")});
}

TEST(ParseTopicTest, KnowsWhatGoesToTheCloud) {
  ExpectTopic("$hw/events/upload/x", UploadTopic{});
  ExpectTopic("$hw/events/upload/x/y/z", UploadTopic{});
  ExpectTopic("$hw/events/upload", UploadTopic{});  // '#' is the parent level too.
  ExpectTopic("SYS/dis/upload_records", UploadRecordsTopic{});
  ExpectTopic("default/user/alarms", UserTopic{});
  ExpectTopic("default/user/a/b/c", UserTopic{});
  ExpectTopic("default/user", UserTopic{});
  ExpectTopic("\u00E9\U0001F600/user/\u20AC", UserTopic{});
}

TEST(ParseTopicTest, LeavesTheRestAlone) {
  for (const char* topic : {
           "a",
           "user/a",
           "a/b/user/c",
           "a/users",
           "$x/user/a",  // '+' is no level that begins with '$'.
           "$hw/events/uploads",
           "$HW/events/upload/x",
           "SYS/dis/upload_records/x",
           "sys/dis/upload_records",
           "$hw/events/device",
           "$hw/events/device/default",
           "$hw/events/device/temp-1/twin/update",  // One level.
           "$hw/events/device/a/b/c/twin/update",
           "$hw/events/device/default/temp-1/twin/update/result",
           "$hw/events/device/default/temp-1/twin/update/delta",
           "$hw/events/device/default/temp-1/twin/cloud_updated",
           "$hw/events/device/default/temp-1/twin/Update",
           "$hw/events/device/default/temp-1/state/get",
           "$hw/events/device/default/temp-1/updated",
           "$hw/events/device/Not/A_Name/other/topic",
           "$hw/events/node/edge-1",
           "$hw/events/node/membership/get",
           "$hw/events/node/a/b/membership/get",
           "$hw/events/node/edge-1/membership/get/result",
           "$hw/events/node/edge-1/membership/updated",
           "$hw/events/connected/x",
           "$ke/events/device/default/temp-1/data/update",
       }) {
    ExpectTopic(topic, OtherTopic{});
  }
}

TEST(ParseTopicTest, RefusesNamesThatKubernetesCouldNotHave) {
  for (const std::string& topic : std::vector<std::string>{
           "$hw/events/device/Default/temp-1/twin/update",
           "$hw/events/device/default/Temp/twin/get",
           "$hw/events/device/default/temp 1/state/update",
           "$hw/events/device/a.b/c/twin/update",
           "$hw/events/device/../../twin/update",
           "$hw/events/device/default/\u00E9/twin/update",
           "$hw/events/device/default/" + std::string(254, 'a') + "/twin/update",
           "$hw/events/device/" + std::string(64, 'a') + "/a/twin/update",
           "$hw/events/node/Edge/membership/get",
       }) {
    EXPECT_THAT(ParseTopic(topic), HasReason("INVALID_FIELD")) << topic;
  }
}

TEST(CheckTopicNameTest, RefusesWhatNobodyMayPublishOn) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "is empty"},
      {"/", "empty level"},
      {"/a", "empty level"},
      {"a/", "empty level"},
      {"a//b", "empty level"},
      {"$hw/events/device//twin/update", "empty level"},
      {"$hw/events/device/default/temp-1/twin/update/", "empty level"},
      {"$hw/events/upload/", "empty level"},
      {"a/+", "wildcard"},
      {"+/user/x", "wildcard"},
      {"a/user/#", "wildcard"},
      {"a+b", "wildcard"},
      {std::string("a\0b", 3), "NUL"},
      {std::string(1, '\0'), "NUL"},
      {"a/\xFF", "not UTF-8"},
      {"a/\xC0\xAF", "not UTF-8"},
      {"a/\xED\xA0\x80", "not UTF-8"},
      {std::string(kTopicBytesMax + 1, 'a'), "has 1025 bytes: use at most 1024"},
      {std::string(kMqttTopicBytesMax, 'a'), "has 65535 bytes: use at most 1024"},
      {std::string(kMqttTopicBytesMax + 1, 'a'), "has 65536 bytes: MQTT allows 65535"},
  };
  for (const auto& [topic, why] : bad) {
    EXPECT_THAT(CheckTopicName(topic), StatusIsWith(kBad, HasSubstr(why)));
    EXPECT_THAT(CheckTopicName(topic), HasReason("TOPIC_INVALID"));
    EXPECT_THAT(ParseTopic(topic), HasReason("TOPIC_INVALID"));
  }
  SKERRY_EXPECT_OK(CheckTopicName(std::string(kTopicBytesMax, 'a')));
  SKERRY_EXPECT_OK(CheckTopicName("a b/c"));
}

TEST(TopicFiltersTest, AreAllThatParseTopicKnows) {
  EXPECT_THAT(SubscribedTopicFilters(),
              ElementsAre("$hw/events/device/+/+/twin/update", "$hw/events/device/+/+/twin/get",
                          "$hw/events/device/+/+/state/update", "$hw/events/node/+/membership/get",
                          "$hw/events/upload/#", "SYS/dis/upload_records", "+/user/#"));
}

TEST(OutgoingTopicsTest, AreKubeEdges) {
  const DeviceName device = Device("default/temp-1");
  EXPECT_EQ(TwinUpdateResultTopic(device), "$hw/events/device/default/temp-1/twin/update/result");
  EXPECT_EQ(TwinUpdateDocumentTopic(device),
            "$hw/events/device/default/temp-1/twin/update/document");
  EXPECT_EQ(TwinUpdateDeltaTopic(device), "$hw/events/device/default/temp-1/twin/update/delta");
  EXPECT_EQ(TwinGetResultTopic(device), "$hw/events/device/default/temp-1/twin/get/result");
  EXPECT_EQ(StateUpdateResultTopic(device), "$hw/events/device/default/temp-1/state/update/result");
  EXPECT_EQ(DeviceUpdatedTopic(device), "$hw/events/device/default/temp-1/updated");
  EXPECT_EQ(MembershipGetResultTopic(Node("edge-1")),
            "$hw/events/node/edge-1/membership/get/result");
  EXPECT_EQ(MembershipUpdatedTopic(Node("edge-1")), "$hw/events/node/edge-1/membership/updated");
}

// What we publish must not come back as a request.
TEST(OutgoingTopicsTest, AreNoneThatWeHear) {
  const DeviceName device =
      *DeviceName::Make(std::string(63, 'n'), std::string(60, 'd') + "." + std::string(192, 'e'));
  const NodeName node = Node("edge-1");
  for (const std::string& topic :
       {TwinUpdateResultTopic(device), TwinUpdateDocumentTopic(device),
        TwinUpdateDeltaTopic(device), TwinGetResultTopic(device), StateUpdateResultTopic(device),
        DeviceUpdatedTopic(device), MembershipGetResultTopic(node), MembershipUpdatedTopic(node)}) {
    ExpectTopic(topic, OtherTopic{});
    EXPECT_LE(topic.size(), 356u);
  }
}

TEST(TopicsTest, FiltersOfSettingsAreMqttsWithoutSystemTopics) {
  for (const char* good : {"plant/#", "+/alarms", "a", "#", "a/+/c"}) {
    EXPECT_THAT(CheckUserTopicFilter(good), ::skerry::testing::IsOk()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(321, 'a'), std::string("a\0b", 3), std::string("\xff"),
        std::string("$hw/#"), std::string("a//b"), std::string("/a"), std::string("a+/b"),
        std::string("a/#/b"), std::string("a/b#")}) {
    EXPECT_THAT(CheckUserTopicFilter(bad), skerry::testing::HasReason("TOPIC_FILTER_INVALID"))
        << bad;
  }
}

}  // namespace
}  // namespace skerry::eventbus
