#include "services/router-svc/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

absl::Status Load(std::map<std::string, std::string> env) {
  RouterConfig config;
  config::Schema schema("router-svc", "test");
  Declare(schema, config);
  env["SKERRY_ROUTER_HUB_ADDRESSES"] = "127.0.0.1:1";
  const char* argv[] = {"router-svc"};
  return schema.LoadWith(1, argv, env).status();
}

TEST(RouterConfigTest, NamesWhatDoesNotFit) {
  EXPECT_THAT(Load({}), IsOk());
  EXPECT_THAT(Load({{"SKERRY_ROUTER_REST_LISTEN", "0.0.0.0:9443"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("rest.token_file")));
  EXPECT_THAT(
      Load({{"SKERRY_ROUTER_REST_LISTEN", "0.0.0.0:9443"}, {"SKERRY_ROUTER_REST_TOKEN_FILE", "t"}}),
      IsOk());
  EXPECT_THAT(Load({{"SKERRY_ROUTER_REST_CERT", "c"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("rest.key")));
  EXPECT_THAT(Load({{"SKERRY_ROUTER_STORE_KIND", "postgres"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("postgres_url_file")));
  EXPECT_THAT(Load({{"SKERRY_ROUTER_DELIVERY_BACKOFF_MIN", "10m"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("delivery.backoff_min")));
  EXPECT_THAT(Load({{"SKERRY_ROUTER_AUTH_BEARER_ENABLED", "true"},
                    {"SKERRY_ROUTER_AUTH_BEARER_USERS", "jane=skerry:operators"},
                    {"SKERRY_ROUTER_TLS_CA", "c"}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("set listen and tls")));
}

}  // namespace
}  // namespace skerry::router
