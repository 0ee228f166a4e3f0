#include "services/edge-controller-svc/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::edgecontroller {
namespace {

using ::testing::HasSubstr;

absl::Status Load(const char* lease_duration) {
  EdgeControllerConfig config;
  config::Schema schema("edge-controller-svc", "test");
  Declare(schema, config);
  const char* argv[] = {"edge-controller-svc"};
  return schema
      .LoadWith(1, argv,
                {{"SKERRY_EDGE_CONTROLLER_HUB_ADDRESSES", "127.0.0.1:1"},
                 {"SKERRY_EDGE_CONTROLLER_LEADER_ELECTION_LEASE_DURATION", lease_duration},
                 {"SKERRY_EDGE_CONTROLLER_LEADER_ELECTION_RENEW_DEADLINE", "10s"},
                 {"SKERRY_EDGE_CONTROLLER_LEADER_ELECTION_RETRY_PERIOD", "2s"}})
      .status();
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

}  // namespace
}  // namespace skerry::edgecontroller
