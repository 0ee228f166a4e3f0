#include "services/edgehub-svc/config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/config/config.h"

namespace skerry::edgehub {
namespace {

absl::StatusOr<config::Action> Load(EdgeHubConfig& config, std::vector<const char*> flags) {
  config::Schema schema("edgehub-svc", "");
  Declare(schema, config);
  std::vector<const char*> argv = {"edgehub-svc",         "--run_dir=/r", "--state_dir=/s",
                                   "--cloud_address=c:1", "--tls_ca=/ca", "--tls_identity=/id"};
  argv.insert(argv.end(), flags.begin(), flags.end());
  return schema.LoadWith(static_cast<int>(argv.size()), argv.data(), {});
}

TEST(EdgeHubConfigTest, TheLinkIsNotMeteredByDefault) {
  EdgeHubConfig config;
  ASSERT_TRUE(Load(config, {}).ok());
  EXPECT_EQ(config.link_bytes_per_second, 0);
}

// link-13.2
TEST(EdgeHubConfigTest, CompressionCanBeTurnedOff) {
  EdgeHubConfig config;
  ASSERT_TRUE(Load(config, {}).ok());
  EXPECT_TRUE(config.compression);
  ASSERT_TRUE(Load(config, {"--link_compression=false"}).ok());
  EXPECT_FALSE(config.compression);
}

TEST(EdgeHubConfigTest, FormerNamesTellThePresentOnes) {
  EdgeHubConfig config;
  const absl::Status status = Load(config, {"--commands_retention=1h"}).status();
  EXPECT_NE(status.message().find("--commands_outcome_retention"), absl::string_view::npos)
      << status;
}

// link-14.1
TEST(EdgeHubConfigTest, ABudgetHasBounds) {
  EdgeHubConfig config;
  ASSERT_TRUE(
      Load(config, {"--link_metered_bytes_per_second=2KiB", "--link_metered_burst_bytes=128KiB"})
          .ok());
  EXPECT_EQ(config.link_bytes_per_second, 2048);
  EXPECT_EQ(config.link_burst_bytes, 128 << 10);

  const absl::Status status = Load(config, {"--link_metered_bytes_per_second=31"}).status();
  const std::string message(status.message());
  for (const char* part : {"link.metered.bytes_per_second", "31", "32 or more"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  for (const char* flag : {"--link_metered_bytes_per_second=2GiB",
                           "--link_metered_burst_bytes=1000", "--link_metered_burst_bytes=2GiB"})
    EXPECT_FALSE(Load(config, {flag}).ok()) << flag;
}

}  // namespace
}  // namespace skerry::edgehub
