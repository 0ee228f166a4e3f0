#include "services/device-controller-svc/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "services/lib/config/config.h"

namespace skerry::devicecontroller {
namespace {

using ::testing::HasSubstr;

absl::Status Load(std::map<std::string, std::string> settings) {
  DeviceControllerConfig config;
  config::Schema schema("device-controller-svc", "test");
  Declare(schema, config);
  const char* argv[] = {"device-controller-svc"};
  std::map<std::string, std::string> environment = {
      {"SKERRY_DEVICE_CONTROLLER_HUB_ADDRESSES", "127.0.0.1:1"}};
  for (const auto& [name, value] : settings)
    environment["SKERRY_DEVICE_CONTROLLER_" + name] = value;
  return schema.LoadWith(1, argv, environment).status();
}

TEST(DeviceControllerConfigTest, DefaultsWillDo) { EXPECT_TRUE(Load({}).ok()) << Load({}); }

TEST(DeviceControllerConfigTest, LeaseOutlastsTheLeader) {
  const absl::Status refused = Load({{"LEADER_ELECTION_LEASE_DURATION", "11s"}});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("leader_election.renew_deadline"));
}

TEST(DeviceControllerConfigTest, PostgresNeedsAUrl) {
  EXPECT_THAT(std::string(Load({{"STORE_KIND", "postgres"}}).message()),
              HasSubstr("store.postgres_url_file"));
  EXPECT_TRUE(Load({{"STORE_KIND", "postgres"}, {"STORE_POSTGRES_URL_FILE", "/x"}}).ok());
}

TEST(DeviceControllerConfigTest, TlsIsWholeOrNot) {
  EXPECT_THAT(std::string(Load({{"TLS_CERT", "/x"}}).message()), HasSubstr("tls.key"));
}

TEST(DeviceControllerConfigTest, TokensNeedTlsAndSomebodyWhoMayCall) {
  std::map<std::string, std::string> settings = {{"AUTH_BEARER_ENABLED", "true"}};
  EXPECT_THAT(std::string(Load(settings).message()), HasSubstr("auth.bearer.users"));
  settings["AUTH_BEARER_GROUPS"] = "staff=skerry:viewers";
  EXPECT_THAT(std::string(Load(settings).message()), HasSubstr("tls.ca"));
  settings["TLS_CA"] = settings["TLS_CERT"] = settings["TLS_KEY"] = "/x";
  EXPECT_TRUE(Load(settings).ok()) << Load(settings);
  settings["AUTH_BEARER_USERS"] = "jane=skerry:viewers,joe";
  EXPECT_THAT(std::string(Load(settings).message()), HasSubstr("'joe'"));
}

TEST(DeviceControllerConfigTest, RetentionMayBeForEver) {
  EXPECT_TRUE(Load({{"RETENTION_TELEMETRY", "0s"}, {"RETENTION_HISTORY", "0s"}}).ok());
  EXPECT_FALSE(Load({{"RETENTION_TELEMETRY", "-1s"}}).ok());
}

}  // namespace
}  // namespace skerry::devicecontroller
