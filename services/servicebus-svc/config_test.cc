#include "services/servicebus-svc/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::servicebus {
namespace {

using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

absl::StatusOr<ServiceBusConfig> Load(const std::map<std::string, std::string>& env) {
  ServiceBusConfig config;
  config::Schema schema("servicebus-svc", "test");
  Declare(schema, config);
  const char* argv[] = {"servicebus-svc"};
  if (absl::Status status = schema.LoadWith(1, argv, env).status(); !status.ok()) return status;
  return config;
}

// [sb-1.1]
TEST(ServiceBusConfigTest, NothingIsAllowedByItself) {
  absl::StatusOr<ServiceBusConfig> config = Load({});
  SKERRY_ASSERT_OK(config);
  EXPECT_TRUE(config->calls_allowed.empty());
  EXPECT_TRUE(config->posts_target_urls.empty());
  FillAddresses(*config);
  EXPECT_EQ(config->edgehub_address, "unix:/run/skerry/edgehub.sock");
}

TEST(ServiceBusConfigTest, NamesAWrongEntry) {
  EXPECT_THAT(Load({{"SKERRY_SERVICEBUS_CALLS_ALLOWED", "http://127.0.0.1:8080/,GET"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("calls.allowed")));
  EXPECT_THAT(Load({{"SKERRY_SERVICEBUS_POSTS_TARGET_URLS", "shop"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("posts.target_urls")));
  EXPECT_THAT(
      Load({{"SKERRY_SERVICEBUS_CALLS_ALLOWED", "GET|POST http://127.0.0.1:*/,https://plc/x"}}),
      IsOk());
}

}  // namespace
}  // namespace skerry::servicebus
