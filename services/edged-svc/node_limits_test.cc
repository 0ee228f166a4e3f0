// From the settings, as a user writes them, to what the Node says.
#include "services/edged-svc/node_limits.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "services/edged-svc/config.h"
#include "services/edged-svc/core/node_status.h"
#include "services/lib/config/config.h"

namespace skerry::edged {
namespace {

absl::StatusOr<NodeLimits> Load(std::vector<const char*> flags) {
  EdgedConfig config;
  config::Schema schema("edged-svc", "");
  Declare(schema, config);
  std::vector<const char*> argv = {"edged-svc", "--node_name=edge-1"};
  argv.insert(argv.end(), flags.begin(), flags.end());
  const absl::StatusOr<config::Action> loaded =
      schema.LoadWith(static_cast<int>(argv.size()), argv.data(), {});
  if (!loaded.ok()) return loaded.status();
  return NodeLimitsOf(config);
}

NodeLimits Limits(const std::vector<const char*>& flags) {
  const absl::StatusOr<NodeLimits> limits = Load(flags);
  EXPECT_TRUE(limits.ok()) << limits.status();
  return limits.value_or(NodeLimits());
}

// Of disks that have this much of 100 left.
std::string DiskPressure(const NodeLimits& limits, int64_t root_dir, int64_t images) {
  NodeFacts facts;
  facts.storage_bytes = facts.image_bytes = 100;
  facts.storage_available_bytes = root_dir;
  facts.image_available_bytes = images;
  for (const NodeCondition& each : NodeConditions(facts, limits, {}, absl::UnixEpoch())) {
    if (each.type == "DiskPressure") return each.status;
  }
  return "absent";
}

nlohmann::json Allocatable(const NodeLimits& limits) {
  NodeFacts facts;
  facts.storage_bytes = 1000;
  return nlohmann::json::parse(NodeStatusJson(facts, limits, {}, "1"))["allocatable"];
}

TEST(NodeLimitsTest, AreTheKubeletsByDefault) {
  const NodeLimits limits = Limits({});
  EXPECT_EQ(DiskPressure(limits, 10, 15), "False");
  EXPECT_EQ(DiskPressure(limits, 9, 15), "True");
  EXPECT_EQ(DiskPressure(limits, 10, 14), "True");
  EXPECT_EQ(Allocatable(limits)["ephemeral-storage"], "900");
  EXPECT_EQ(Allocatable(limits)["pods"], "110");
}

TEST(NodeLimitsTest, AreTheSettingsEachOfItsDisk) {
  const NodeLimits limits =
      Limits({"--disk_pressure_available_percent_min=40",
              "--disk_pressure_images_available_percent_min=2", "--pods_max=7"});
  EXPECT_EQ(DiskPressure(limits, 40, 2), "False");
  EXPECT_EQ(DiskPressure(limits, 39, 2), "True");
  EXPECT_EQ(DiskPressure(limits, 40, 1), "True");
  EXPECT_EQ(Allocatable(limits)["ephemeral-storage"], "600");
  EXPECT_EQ(Allocatable(limits)["pods"], "7");
}

TEST(NodeLimitsTest, ZeroIsNever) {
  const NodeLimits limits = Limits({"--disk_pressure_available_percent_min=0",
                                    "--disk_pressure_images_available_percent_min=0"});
  EXPECT_EQ(DiskPressure(limits, 0, 0), "False");
}

TEST(NodeLimitsTest, APercentageHasBounds) {
  for (const char* flag : {"--disk_pressure_available_percent_min=100",
                           "--disk_pressure_images_available_percent_min=-1"}) {
    const absl::Status refused = Load({flag}).status();
    EXPECT_NE(refused.message().find("disk_pressure."), absl::string_view::npos) << refused;
  }
}

}  // namespace
}  // namespace skerry::edged
