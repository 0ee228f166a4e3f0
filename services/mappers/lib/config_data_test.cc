#include "services/mappers/lib/config_data.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"
#include "services/mappers/testing/devices.h"

namespace skerry::mapper {
namespace {

using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

TEST(ConfigDataTest, ReadsWhatMappersAreSent) {
  v1beta1::CustomizedValue data;
  SetText(data, "parity", "even");
  SetText(data, "port", "502");
  SetText(data, "fast", "true");
  SetFlag(data, "swap", true);
  SetNumber(data, "offset", 2);
  SetNumber(data, "scale", 0.1f);
  google::protobuf::Int64Value large;
  large.set_value(16777217);
  (*data.mutable_data())["slave"].PackFrom(large);
  const auto parsed = ConfigData::Parse(data, "configData");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->String("parity", "").value(), "even");
  EXPECT_EQ(parsed->Int("port", 0).value(), 502);
  EXPECT_EQ(parsed->Bool("fast", false).value(), true);
  EXPECT_EQ(parsed->Bool("swap", false).value(), true);
  EXPECT_EQ(parsed->Int("offset", 0).value(), 2);
  EXPECT_EQ(parsed->Number("scale", 0).value(), 0.1);  // Not 0.10000000149.
  EXPECT_EQ(parsed->Int("slave", 0).value(), 16777217);
  EXPECT_EQ(parsed->Number("port", 0).value(), 502);
  EXPECT_EQ(parsed->Number("absent", 7).value(), 7);
  EXPECT_TRUE(parsed->Has("slave"));
  EXPECT_FALSE(parsed->Has("absent"));
}

TEST(ConfigDataTest, NamesWhatIsOfAnotherType) {
  v1beta1::CustomizedValue data;
  SetText(data, "port", "many");
  SetNumber(data, "offset", 2.5);
  SetFlag(data, "swap", true);
  const auto parsed = ConfigData::Parse(data, "configData");
  ASSERT_TRUE(parsed.ok());
  const auto wrong = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(parsed->Int("port", 0), StatusIsWith(wrong, HasSubstr("'configData.port'")));
  EXPECT_THAT(parsed->Int("offset", 0), StatusIsWith(wrong, HasSubstr("2.5")));
  EXPECT_THAT(parsed->Number("swap", 0), StatusIs(wrong));
  EXPECT_THAT(parsed->String("swap", ""), StatusIs(wrong));
  EXPECT_THAT(parsed->Bool("port", false), StatusIs(wrong));
}

TEST(ConfigDataTest, RefusesOtherMessages) {
  v1beta1::CustomizedValue data;
  (*data.mutable_data())["wait"].PackFrom(google::protobuf::Duration());
  EXPECT_THAT(ConfigData::Parse(data, "configData"),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("configData.wait")));
}

}  // namespace
}  // namespace skerry::mapper
