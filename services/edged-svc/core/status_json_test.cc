#include "services/edged-svc/core/status_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::edged {
namespace {

PodStatus Sample() {
  PodStatus status;
  status.phase = "Running";
  status.host_address = "192.0.2.1";
  status.addresses = {"10.0.0.2", "fd00::2"};
  status.qos = "Burstable";
  status.start_time = absl::FromUnixSeconds(1'700'000'000);
  status.conditions = {{"Ready", "True", "", "", status.start_time},
                       {"PodScheduled", "True", "", "", status.start_time}};
  ContainerStatus c;
  c.name = "c";
  c.image = "i:1";
  c.image_id = "sha256:1";
  c.container_id = "abc";
  c.restart_count = 2;
  c.ready = c.started = true;
  c.state.kind = ContainerState::Kind::kRunning;
  c.state.started = status.start_time;
  c.last_state.kind = ContainerState::Kind::kTerminated;
  c.last_state.exit_code = 137;
  c.last_state.reason = "OOMKilled";
  c.last_state.message = "bytes \xff";
  c.last_state.started = c.last_state.finished = status.start_time;
  c.last_state.container_id = "abb";
  status.containers = {c};
  return status;
}

TEST(StatusJsonTest, WritesCoreV1) {
  const auto json = nlohmann::json::parse(ToJson(Sample(), "containerd", {}));
  EXPECT_EQ(json["phase"], "Running");
  EXPECT_EQ(json["podIP"], "10.0.0.2");
  EXPECT_EQ(json["podIPs"][1]["ip"], "fd00::2");
  EXPECT_EQ(json["startTime"], "2023-11-14T22:13:20Z");
  const auto& c = json["containerStatuses"][0];
  EXPECT_EQ(c["containerID"], "containerd://abc");
  EXPECT_EQ(c["state"]["running"]["startedAt"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(c["lastState"]["terminated"]["exitCode"], 137);
  EXPECT_EQ(c["lastState"]["terminated"]["containerID"], "containerd://abb");
  EXPECT_EQ(c["restartCount"], 2);
}

TEST(StatusJsonTest, ComesBackAsItWas) {
  const std::string json = ToJson(Sample(), "containerd", {});
  EXPECT_EQ(ToJson(PodStatusFromJson(json), "containerd", {}), json);
}

TEST(StatusJsonTest, UnreadableIsAPendingPod) {
  for (const char* text :
       {"", "[]", "{\"phase\":5}", "{\"containerStatuses\":[7]}", "{\"containerStatuses\":{}}"}) {
    EXPECT_EQ(PodStatusFromJson(text).phase, "Pending") << text;
  }
}

TEST(StatusJsonTest, ConditionsOfOthersStay) {
  const auto json = nlohmann::json::parse(ToJson(
      Sample(), "containerd",
      {R"({"type":"gate/x","status":"False"})", R"({"type":"Ready","status":"False"})",
       R"({"type":"PodScheduled","status":"True","lastTransitionTime":"2020-01-01T00:00:00Z"})",
       "junk"}));
  ASSERT_EQ(json["conditions"].size(), 3u);
  EXPECT_EQ(json["conditions"][0]["status"], "True");  // Ready is ours.
  EXPECT_EQ(json["conditions"][1]["lastTransitionTime"], "2020-01-01T00:00:00Z");
  EXPECT_EQ(json["conditions"][2]["type"], "gate/x");
}

}  // namespace
}  // namespace skerry::edged
