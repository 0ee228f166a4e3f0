#include "services/device-controller-svc/core/interest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"

namespace skerry::devicecontroller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Change = Interest::Change;

TEST(InterestTest, ANodeNeedsItsDevicesAndTheirModelsAndNoOthers) {
  Interest interest;
  EXPECT_THAT(interest.SetDevice("ns/a", "edge-1", "ns/m"),
              UnorderedElementsAre(Change{"edge-1", kDevices, "ns/a"},
                                   Change{"edge-1", kDeviceModels, "ns/m"}));
  interest.SetDevice("ns/b", "edge-2", "ns/other");
  interest.SetDevice("ns/c", "", "ns/unbound");
  EXPECT_THAT(interest.KeysNeeded("edge-1", kDevices), ElementsAre("ns/a"));
  EXPECT_THAT(interest.KeysNeeded("edge-1", kDeviceModels), ElementsAre("ns/m"));
  EXPECT_TRUE(interest.Needs("edge-1", kDevices, "ns/a"));
  EXPECT_FALSE(interest.Needs("edge-1", kDevices, "ns/b"));
  EXPECT_FALSE(interest.Needs("edge-1", kDeviceModels, "ns/other"));
  EXPECT_FALSE(interest.Needs("edge-1", "pods", "ns/a"));
  EXPECT_THAT(interest.NodesThatNeed(kDeviceModels, "ns/unbound"), IsEmpty());
}

TEST(InterestTest, AModelStaysWhileADeviceRefersToIt) {
  Interest interest;
  interest.SetDevice("ns/a", "edge-1", "ns/m");
  EXPECT_THAT(interest.SetDevice("ns/b", "edge-1", "ns/m"),
              ElementsAre(Change{"edge-1", kDevices, "ns/b"}));
  EXPECT_THAT(interest.RemoveDevice("ns/a"), ElementsAre(Change{"edge-1", kDevices, "ns/a"}));
  EXPECT_THAT(interest.NodesThatNeed(kDeviceModels, "ns/m"), ElementsAre("edge-1"));
  EXPECT_THAT(interest.RemoveDevice("ns/b"),
              UnorderedElementsAre(Change{"edge-1", kDevices, "ns/b"},
                                   Change{"edge-1", kDeviceModels, "ns/m"}));
  EXPECT_THAT(interest.NodesThatNeed(kDeviceModels, "ns/m"), IsEmpty());
  EXPECT_THAT(interest.RemoveDevice("ns/b"), IsEmpty());
}

TEST(InterestTest, ADeviceThatIsBoundToAnotherNodeLeavesTheFormer) {
  Interest interest;
  interest.SetDevice("ns/a", "edge-1", "ns/m");
  EXPECT_THAT(interest.SetDevice("ns/a", "edge-2", "ns/m"),
              UnorderedElementsAre(
                  Change{"edge-1", kDevices, "ns/a"}, Change{"edge-1", kDeviceModels, "ns/m"},
                  Change{"edge-2", kDevices, "ns/a"}, Change{"edge-2", kDeviceModels, "ns/m"}));
  EXPECT_FALSE(interest.Needs("edge-1", kDevices, "ns/a"));
  EXPECT_THAT(interest.NodesThatNeed(kDevices, "ns/a"), ElementsAre("edge-2"));
  EXPECT_THAT(interest.SetDevice("ns/a", "edge-2", "ns/n"),
              UnorderedElementsAre(Change{"edge-2", kDeviceModels, "ns/m"},
                                   Change{"edge-2", kDeviceModels, "ns/n"}));
}

TEST(InterestTest, ADeviceThatIsDisabledIsAsUnbound) {
  Interest interest;
  EXPECT_THAT(interest.SetDisabled("ns/a", true), IsEmpty()) << "before there is such a device";
  EXPECT_THAT(interest.SetDevice("ns/a", "edge-1", "ns/m"), IsEmpty());
  EXPECT_THAT(interest.NodesThatNeed(kDevices, "ns/a"), IsEmpty());
  EXPECT_THAT(interest.SetDisabled("ns/a", false),
              UnorderedElementsAre(Change{"edge-1", kDevices, "ns/a"},
                                   Change{"edge-1", kDeviceModels, "ns/m"}));
  EXPECT_THAT(interest.SetDisabled("ns/a", false), IsEmpty());
  EXPECT_THAT(interest.SetDisabled("ns/a", true),
              UnorderedElementsAre(Change{"edge-1", kDevices, "ns/a"},
                                   Change{"edge-1", kDeviceModels, "ns/m"}));
  EXPECT_THAT(interest.SetDevice("ns/a", "edge-2", "ns/m"), IsEmpty());
  EXPECT_THAT(interest.RemoveDevice("ns/a"), IsEmpty());
}

// [dc-1.5]
TEST(InterestTest, AChangeAmongTenThousandTouchesWhatItIsAbout) {
  Interest interest;
  for (int i = 0; i < 10'000; ++i)
    interest.SetDevice(absl::StrCat("ns/d", i), "edge-1", absl::StrCat("ns/m", i % 10));
  EXPECT_THAT(interest.SetDevice("ns/d7", "edge-1", "ns/m7"), IsEmpty());
  EXPECT_THAT(interest.SetDevice("ns/d7", "edge-1", "ns/m8"), IsEmpty());
  EXPECT_THAT(interest.RemoveDevice("ns/d9999"),
              ElementsAre(Change{"edge-1", kDevices, "ns/d9999"}));
  EXPECT_EQ(interest.KeysNeeded("edge-1", kDeviceModels).size(), 10u);
}

// Against the definition, over random histories; every change is told, and no other.
TEST(InterestTest, IsWhatTheDefinitionSays) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const auto pick = [&](unsigned n) { return random() % n; };
  struct Device {
    std::string node, model;
  };
  std::map<std::string, Device> devices;
  std::set<std::string> disabled;
  std::set<Change> needed;
  Interest interest;
  for (int step = 0; step < 3000; ++step) {
    const std::string device = absl::StrCat("ns/d", pick(8));
    std::vector<Change> changes;
    switch (pick(4)) {
      case 0:
        devices.erase(device);
        changes = interest.RemoveDevice(device);
        break;
      case 1:
        if (pick(2) == 0) {
          disabled.insert(device);
          changes = interest.SetDisabled(device, true);
        } else {
          disabled.erase(device);
          changes = interest.SetDisabled(device, false);
        }
        break;
      default: {
        const std::string node = pick(4) == 0 ? "" : absl::StrCat("edge-", pick(3));
        const std::string model = pick(5) == 0 ? "" : absl::StrCat("ns/m", pick(3));
        devices[device] = {node, model};
        changes = interest.SetDevice(device, node, model);
      }
    }
    std::set<Change> now;
    for (const auto& [key, state] : devices) {
      if (state.node.empty() || disabled.contains(key)) continue;
      now.insert({state.node, kDevices, key});
      if (!state.model.empty()) now.insert({state.node, kDeviceModels, state.model});
    }
    std::set<Change> told(changes.begin(), changes.end());
    ASSERT_EQ(told.size(), changes.size());
    std::set<Change> different;
    std::set_symmetric_difference(now.begin(), now.end(), needed.begin(), needed.end(),
                                  std::inserter(different, different.end()));
    ASSERT_EQ(told, different) << "step " << step;
    for (const Change& need : now) {
      ASSERT_TRUE(interest.Needs(need.node, need.type, need.key));
      ASSERT_THAT(interest.NodesThatNeed(need.type, need.key), ::testing::Contains(need.node));
      ASSERT_THAT(interest.KeysNeeded(need.node, need.type), ::testing::Contains(need.key));
    }
    for (const Change& was : needed) {
      if (!now.contains(was)) {
        ASSERT_FALSE(interest.Needs(was.node, was.type, was.key));
      }
    }
    needed = std::move(now);
  }
}

}  // namespace
}  // namespace skerry::devicecontroller
