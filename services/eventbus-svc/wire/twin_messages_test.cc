#include "services/eventbus-svc/wire/twin_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/eventbus-svc/wire/write_ids.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::Pair;

const DeviceName kPump = *DeviceName::Make("plant", "pump-1");

TEST(TwinMessagesTest, NamesGoBothWays) {
  EXPECT_EQ(TwinNameOf(kPump), "namespaces/plant/devices/pump-1/twin");
  EXPECT_THAT(DeviceOf(TwinNameOf(kPump)), IsOkAndHolds(kPump));
  for (const char* bad : {"", "plant/pump-1", "namespaces/plant/devices/PUMP/twin",
                          "namespaces/plant/devices/pump-1/twin/x"}) {
    EXPECT_THAT(DeviceOf(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(TwinMessagesTest, ATwinIsWhatHasValues) {
  // Without text format: under TSan a map's layout is not that of Debian's libprotobuf, and
  // reflection of one crashes.
  twin::v1::Twin twin;
  twin::v1::Property& temp = (*twin.mutable_properties())["temp"];
  temp.mutable_desired()->set_value("20");
  (*temp.mutable_desired()->mutable_metadata())["type"] = "int";
  temp.mutable_desired()->mutable_write_time()->set_seconds(5);
  temp.mutable_desired()->mutable_write_time()->set_nanos(7000000);
  temp.mutable_reported()->set_value("18");
  temp.mutable_reported()->mutable_write_time()->set_seconds(6);
  (*twin.mutable_properties())["fan"].mutable_reported()->set_value("on");
  (*twin.mutable_properties())["never"].set_declared(true);
  const TwinProperties properties = PropertiesOf(twin);
  EXPECT_THAT(properties, ElementsAre(Pair("fan", TwinProperty{.actual = {"on", 0}}),
                                      Pair("temp", TwinProperty{.expected = {"20", 5007},
                                                                .actual = {"18", 6000},
                                                                .type = "int"})));
}

TEST(TwinMessagesTest, AWriteCarriesTheTypesThatWereGiven) {
  const twin::v1::WriteTwinRequest request = WriteRequestOf(
      kPump,
      {.expected = {{"temp", {"20", "int"}}}, .actual = {{"fan", {"on", ""}}}, .removed = {"old"}},
      "id");
  EXPECT_THAT(request.remove(), ElementsAre("old"));
  EXPECT_EQ(request.name(), TwinNameOf(kPump));
  EXPECT_EQ(request.request_id(), "id");
  EXPECT_EQ(request.writer(), "mqtt");
  EXPECT_TRUE(request.whole_answer());
  EXPECT_EQ(request.desired().at("temp").value(), "20");
  EXPECT_EQ(request.desired().at("temp").metadata().at("type"), "int");
  EXPECT_EQ(request.reported().at("fan").value(), "on");
  EXPECT_TRUE(request.reported().at("fan").metadata().empty());
}

TEST(TwinMessagesTest, AStateThatIsUnknownIsNotShown) {
  twin::v1::DeviceState state;
  state.set_state("unknown");
  EXPECT_EQ(SummaryOf(kPump, state).state, "");
  state.set_state("online");
  state.mutable_last_seen_time()->set_seconds(1704067200);
  EXPECT_EQ(SummaryOf(kPump, state).state, "online");
  EXPECT_EQ(SummaryOf(kPump, state).last_online, absl::FromUnixSeconds(1704067200));
}

TEST(TwinMessagesTest, OnlyTheSameRequestHasTheSameId) {
  const std::string id = WriteIdOf("e1", R"({"event_id":"e1","twin":{"a":{}}})");
  EXPECT_EQ(id, WriteIdOf("e1", R"({"event_id":"e1","twin":{"a":{}}})"));
  EXPECT_NE(id, WriteIdOf("e1", R"({"event_id":"e1","twin":{"b":{}}})"));
  EXPECT_LE(id.size(), 128u);
  EXPECT_EQ(WriteIdOf("", "{}"), "");
}

}  // namespace
}  // namespace skerry::eventbus
