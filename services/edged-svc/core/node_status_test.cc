#include "services/edged-svc/core/node_status.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

namespace skerry::edged {
namespace {

NodeFacts Facts() {
  NodeFacts facts;
  facts.hostname = "edge-1";
  facts.addresses = {"192.0.2.1"};
  facts.architecture = "arm64";
  facts.cpus = 4;
  facts.memory_bytes = int64_t{1} << 30;
  facts.memory_available_bytes = int64_t{1} << 29;
  facts.storage_bytes = 1000 << 20;
  facts.storage_available_bytes = 500 << 20;
  facts.inodes = 1000;
  facts.inodes_free = 900;
  facts.pids_max = 1000;
  facts.pids = 10;
  facts.runtime_name = "containerd";
  facts.runtime_version = "1.6.20";
  facts.runtime_ready = true;
  return facts;
}

std::map<std::string, std::string> Statuses(const NodeFacts& facts) {
  std::map<std::string, std::string> out;
  for (const NodeCondition& c : NodeConditions(facts, {}, {}, absl::UnixEpoch()))
    out[c.type] = c.status;
  return out;
}

TEST(NodeStatusTest, HealthyNode) {
  EXPECT_EQ(Statuses(Facts()), (std::map<std::string, std::string>{{"DiskPressure", "False"},
                                                                   {"MemoryPressure", "False"},
                                                                   {"PIDPressure", "False"},
                                                                   {"Ready", "True"}}));
}

TEST(NodeStatusTest, EachPressure) {
  NodeFacts facts = Facts();
  facts.memory_available_bytes = 50 << 20;
  EXPECT_EQ(Statuses(facts)["MemoryPressure"], "True");
  facts = Facts();
  facts.storage_available_bytes = 99 << 20;
  EXPECT_EQ(Statuses(facts)["DiskPressure"], "True");
  facts = Facts();
  facts.inodes_free = 10;
  EXPECT_EQ(Statuses(facts)["DiskPressure"], "True");
  facts = Facts();
  facts.image_bytes = 1000 << 20;
  facts.image_available_bytes = 149 << 20;
  EXPECT_EQ(Statuses(facts)["DiskPressure"], "True");
  facts.image_available_bytes = 150 << 20;
  EXPECT_EQ(Statuses(facts)["DiskPressure"], "False");
  facts = Facts();
  facts.pids = 950;
  EXPECT_EQ(Statuses(facts)["PIDPressure"], "True");
  facts = Facts();
  facts.runtime_ready = false;
  EXPECT_EQ(Statuses(facts)["Ready"], "False");
}

TEST(NodeStatusTest, TransitionsAreKept) {
  const absl::Time first = absl::FromUnixSeconds(100), second = absl::FromUnixSeconds(200);
  const auto before = NodeConditions(Facts(), {}, {}, first);
  NodeFacts facts = Facts();
  facts.runtime_ready = false;
  for (const NodeCondition& c : NodeConditions(facts, {}, before, second)) {
    EXPECT_EQ(c.heartbeat, second);
    EXPECT_EQ(c.transition, c.type == "Ready" ? second : first) << c.type;
  }
}

TEST(NodeStatusTest, WritesCoreV1) {
  const auto json = nlohmann::json::parse(NodeStatusJson(
      Facts(), {}, NodeConditions(Facts(), {}, {}, absl::FromUnixSeconds(1)), "0.1.0"));
  EXPECT_EQ(json["nodeInfo"]["kubeletVersion"], "v1.32.0-skerry-0.1.0");
  EXPECT_EQ(json["nodeInfo"]["containerRuntimeVersion"], "containerd://1.6.20");
  EXPECT_EQ(json["addresses"][0]["address"], "192.0.2.1");
  EXPECT_EQ(json["addresses"][1]["type"], "Hostname");
  EXPECT_EQ(json["capacity"]["memory"], "1048576Ki");
  EXPECT_EQ(json["allocatable"]["memory"], "946176Ki");
  EXPECT_EQ(json["capacity"]["pods"], "110");
  EXPECT_EQ(NodeLabels(Facts()).at("kubernetes.io/arch"), "arm64");
}

TEST(CountsAsLostTest, OnlyWhereReadyIsUnknown) {
  const auto node = [](const char* type, const char* status) {
    return nlohmann::json{{"status", {{"conditions", {{{"type", type}, {"status", status}}}}}}}
        .dump();
  };
  EXPECT_TRUE(CountsAsLost(node("Ready", "Unknown")));
  EXPECT_FALSE(CountsAsLost(node("Ready", "True")));
  EXPECT_FALSE(CountsAsLost(node("Ready", "False")));
  EXPECT_FALSE(CountsAsLost(node("DiskPressure", "Unknown")));
  for (const char* nonsense :
       {"", "{", "[]", R"({"status":[]})", R"({"status":{"conditions":[7]}})"}) {
    EXPECT_FALSE(CountsAsLost(nonsense)) << nonsense;
  }
}

}  // namespace
}  // namespace skerry::edged
