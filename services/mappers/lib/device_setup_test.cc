#include "services/mappers/lib/device_setup.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"
#include "services/mappers/testing/devices.h"

namespace skerry::mapper {
namespace {

using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

class SetUpTest : public ::testing::Test {
 protected:
  SetUpTest() {
    AddProperty(model_, "temperature", "FLOAT", false);
    AddProperty(model_, "target", "FLOAT", true);
    model_.mutable_spec()->mutable_properties(1)->set_maximum("50");
  }

  v1beta1::DeviceModel model_ = MakeModel("sensor");
  v1beta1::Device device_ = MakeDevice("s1", "sensor", "fake");
};

TEST_F(SetUpTest, TakesCyclesAndOptions) {
  SetFlag(*AddProperty(device_, "temperature", 250, 5000)->mutable_visitors()->mutable_configdata(),
          "reportOnChange", true);
  AddProperty(device_, "target", 0, 0, "40")->set_reporttocloud(false);
  const auto setup = MakeSetup(device_, model_);
  ASSERT_TRUE(setup.ok());
  const PropertyPlan& first = setup->plan.properties.at(0);
  EXPECT_EQ(first.collect_cycle, absl::Milliseconds(250));
  EXPECT_EQ(first.report_cycle, absl::Seconds(5));
  EXPECT_TRUE(first.report_on_change);
  const PropertyPlan& second = setup->plan.properties.at(1);
  EXPECT_EQ(second.collect_cycle, absl::Seconds(1));
  EXPECT_EQ(second.report_cycle, absl::Seconds(1));
  EXPECT_FALSE(second.report);
  EXPECT_EQ(second.desired, "40");
  EXPECT_TRUE(setup->plan.report_state);
  EXPECT_EQ(setup->plan.state_cycle, absl::Minutes(1));
  EXPECT_TRUE(setup->warnings.empty());
}

TEST_F(SetUpTest, BringsCyclesIntoTheirBounds) {
  AddProperty(device_, "temperature", 1, 100000000);
  const auto setup = MakeSetup(device_, model_);
  ASSERT_TRUE(setup.ok());
  EXPECT_EQ(setup->plan.properties.at(0).collect_cycle, kCycleMin);
  EXPECT_EQ(setup->plan.properties.at(0).report_cycle, kCycleMax);
  ASSERT_EQ(setup->warnings.size(), 2u);
  EXPECT_THAT(std::string(setup->warnings[0].message()),
              HasSubstr("properties[temperature].collectCycle"));
}

// The rest of the device works.
TEST_F(SetUpTest, PassesOverDesiredValuesThatTheModelDoesNotAllow) {
  AddProperty(device_, "temperature", 0, 0, "20");
  AddProperty(device_, "target", 0, 0, "50.5");
  const auto setup = MakeSetup(device_, model_);
  ASSERT_TRUE(setup.ok());
  EXPECT_EQ(setup->plan.properties.at(0).desired, std::nullopt);
  EXPECT_EQ(setup->plan.properties.at(1).desired, std::nullopt);
  EXPECT_EQ(setup->warnings.size(), 2u);
}

TEST_F(SetUpTest, NamesWhatIsWrong) {
  const auto wrong = absl::StatusCode::kInvalidArgument;
  v1beta1::Device device = device_;
  AddProperty(device, "humidity", 0, 0);
  EXPECT_THAT(MakeSetup(device, model_).status(), StatusIsWith(wrong, HasSubstr("humidity")));
  device = device_;
  AddProperty(device, "target", 0, 0);
  AddProperty(device, "target", 0, 0);
  EXPECT_THAT(MakeSetup(device, model_).status(), StatusIsWith(wrong, HasSubstr("once")));
  device = device_;
  SetNumber(*AddProperty(device, "target", 0, 0)->mutable_visitors()->mutable_configdata(),
            "deadBand", -1);
  EXPECT_THAT(MakeSetup(device, model_).status(), StatusIsWith(wrong, HasSubstr("deadBand")));
  device = device_;
  device.set_name("No Name");
  EXPECT_THAT(MakeSetup(device, model_).status(), StatusIsWith(wrong, HasSubstr("No Name")));
  model_.mutable_spec()->mutable_properties(0)->set_type("COLOUR");
  device = device_;
  AddProperty(device, "temperature", 0, 0);
  EXPECT_THAT(MakeSetup(device, model_).status(), StatusIsWith(wrong, HasSubstr("COLOUR")));
}

}  // namespace
}  // namespace skerry::mapper
