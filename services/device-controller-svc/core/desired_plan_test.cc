#include "services/device-controller-svc/core/desired_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/device-controller-svc/core/device_fields.h"
#include "services/device-controller-svc/core/twin_order.h"

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(DesiredPlanTest, SaysWhatDiffers) {
  EXPECT_THAT(PlanDesired({{"same", "1"}, {"other", "1"}, {"gone", "1"}},
                          {{"same", "1"}, {"other", "2"}, {"new", "3"}}),
              ElementsAre(Pair("gone", std::nullopt), Pair("new", "3"), Pair("other", "2")));
  EXPECT_THAT(PlanDesired({{"a", "1"}}, {{"a", "1"}}), IsEmpty());
}

TEST(DesiredPlanTest, TheWriterIsKnownWhileTheValueIsTheOneThatItWrote) {
  const json device = {{"metadata",
                        {{"annotations",
                          {{kWritersAnnotation,
                            WriteWriters({{"temp", {"alice", "21"}}, {"mode", {"bob", ""}}})}}}}}};
  const DesiredWriters writers = ReadWriters(device);
  EXPECT_EQ(WriterOf(writers, "temp", "21"), "alice");
  EXPECT_EQ(WriterOf(writers, "temp", "22"), "cloud") << "somebody has applied a manifest since";
  EXPECT_EQ(WriterOf(writers, "mode", ""), "bob");
  EXPECT_EQ(WriterOf(writers, "other", "1"), "cloud");
}

TEST(DesiredPlanTest, AnAnnotationOfAnotherShapeIsNone) {
  for (const char* text : {"", "x", "[]", "{\"temp\":1}", "{\"temp\":{\"writer\":3}}"}) {
    const json device = {{"metadata", {{"annotations", {{kWritersAnnotation, text}}}}}};
    EXPECT_THAT(ReadWriters(device), IsEmpty()) << text;
  }
  EXPECT_THAT(ReadWriters(json::parse(R"({"metadata":{"annotations":7}})")), IsEmpty());
}

TEST(DeviceFieldsTest, ReadsWhatIsThereWhateverTheShape) {
  const auto read = [](const char* text) { return FieldsOf(*KubeObject::Parse(text)); };
  const DeviceFields whole = read(
      R"({"metadata":{"namespace":"ns","name":"a","generation":3},
          "spec":{"nodeName":"edge-1","deviceModelRef":{"name":"m"},"protocol":{"protocolName":"modbus"}}})");
  EXPECT_EQ(whole.node, "edge-1");
  EXPECT_EQ(whole.model, "m");
  EXPECT_EQ(whole.model_key, "ns/m");
  EXPECT_EQ(whole.protocol, "modbus");
  EXPECT_EQ(whole.generation, 3);
  const DeviceFields broken =
      read(R"({"metadata":{"namespace":"ns","name":"a"},"spec":{"nodeName":7,"protocol":[]}})");
  EXPECT_EQ(broken.node + broken.model_key + broken.protocol, "");
}

// dc-4.2
TEST(TwinOrderTest, ADeviceThatWasMovedIsHeardThoughTheNewNodesSessionIsOlder) {
  constexpr uint64_t kMinute = 60'000'000;
  constexpr uint64_t kEpoch = 1'767'225'600'000'000;
  EXPECT_LT(ReportOrderMajor(3, kEpoch), ReportOrderMajor(4, kEpoch - kMinute));
  EXPECT_LT(ReportOrderMajor(3, kEpoch), ReportOrderMajor(3, kEpoch + kMinute));
  EXPECT_LE(ReportOrderMajor(3, kEpoch), ReportOrderMajor(3, kEpoch + 1));
  EXPECT_LT(ReportOrderMajor(INT64_MAX, UINT64_MAX), uint64_t{1} << 63);
  EXPECT_EQ(ReportOrderMajor(-1, 0), 0u);
}

}  // namespace
}  // namespace skerry::devicecontroller
