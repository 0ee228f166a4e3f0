#include "services/edge-controller-svc/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::edgecontroller {
namespace {

using ::testing::HasSubstr;

absl::Status LoadWith(std::map<std::string, std::string> environment) {
  EdgeControllerConfig config;
  config::Schema schema("edge-controller-svc", "test");
  Declare(schema, config);
  const char* argv[] = {"edge-controller-svc"};
  environment["SKERRY_EDGE_CONTROLLER_HUB_ADDRESSES"] = "127.0.0.1:1";
  return schema.LoadWith(1, argv, environment).status();
}

absl::Status Load(const char* lease_duration) {
  return LoadWith({{"SKERRY_EDGE_CONTROLLER_LEADER_ELECTION_LEASE_DURATION", lease_duration},
                   {"SKERRY_EDGE_CONTROLLER_LEADER_ELECTION_RENEW_DEADLINE", "10s"},
                   {"SKERRY_EDGE_CONTROLLER_LEADER_ELECTION_RETRY_PERIOD", "2s"}});
}

TEST(EdgeControllerConfigTest, LeaseOutlastsTheLeader) {
  EXPECT_TRUE(Load("15s").ok()) << Load("15s");
  EXPECT_TRUE(Load("12s").ok()) << Load("12s");
  const absl::Status refused = Load("11s");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  for (const char* field : {"leader_election.lease_duration", "leader_election.renew_deadline",
                            "leader_election.retry_period"}) {
    EXPECT_THAT(std::string(refused.message()), HasSubstr(field));
  }
}

TEST(EdgeControllerConfigTest, AnInternalIpIsAnIpAddress) {
  const auto load = [](const char* address) {
    return LoadWith({{"SKERRY_EDGE_CONTROLLER_TLS_CA", "ca"},
                     {"SKERRY_EDGE_CONTROLLER_TLS_CERT", "cert"},
                     {"SKERRY_EDGE_CONTROLLER_TLS_KEY", "key"},
                     {"SKERRY_EDGE_CONTROLLER_KUBELET_LISTEN", "0.0.0.0:10250"},
                     {"SKERRY_EDGE_CONTROLLER_KUBELET_CLIENT_CA", "ca"},
                     {"SKERRY_EDGE_CONTROLLER_KUBELET_ADVERTISE_INTERNAL_IP", "true"},
                     {"SKERRY_EDGE_CONTROLLER_KUBELET_ADVERTISE_ADDRESS", address}});
  };
  EXPECT_TRUE(load("10.0.0.1").ok()) << load("10.0.0.1");
  EXPECT_TRUE(load("fd00::1").ok()) << load("fd00::1");
  const absl::Status refused = load("controller.example");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("kubelet.advertise_address"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("controller.example"));
}

}  // namespace
}  // namespace skerry::edgecontroller
