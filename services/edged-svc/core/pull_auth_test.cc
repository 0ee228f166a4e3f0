#include "services/edged-svc/core/pull_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

KeyedData Secret(const std::string& json) { return {.text = {{".dockerconfigjson", json}}}; }

TEST(PullAuthTest, MostSpecificFirst) {
  const KeyedData secret = Secret(R"({"auths":{
    "https://r.io/v1/":{"username":"all","password":"p1"},
    "r.io/team":{"auth":"dGVhbTpzZWNyZXQ6eA=="},
    "other.io":{"username":"no"}}})");
  const std::vector<RegistryAuth> auths = PullAuths(secret, "r.io/team/app:1");
  ASSERT_EQ(auths.size(), 2u);
  EXPECT_EQ(auths[0].username, "team");
  EXPECT_EQ(auths[0].password, "secret:x");
  EXPECT_EQ(auths[1].username, "all");
}

TEST(PullAuthTest, DockerHubByItsOldNames) {
  const KeyedData secret =
      Secret(R"({"auths":{"https://index.docker.io/v1/":{"username":"hub","password":"p"}}})");
  EXPECT_EQ(PullAuths(secret, "busybox:1").size(), 1u);
  EXPECT_EQ(PullAuths(secret, "r.io/busybox:1").size(), 0u);
}

TEST(PullAuthTest, LegacyForm) {
  const KeyedData secret{.text = {{".dockercfg", R"({"r.io":{"username":"u","password":"p"}})"}}};
  EXPECT_EQ(PullAuths(secret, "r.io/x").size(), 1u);
}

TEST(PullAuthTest, UnreadableSecretsHaveNone) {
  for (const char* text : {"", "[]", "{\"auths\":5}", "{\"auths\":{\"r.io\":7}}", "\xff"}) {
    for (const RegistryAuth& auth : PullAuths(Secret(text), "r.io/x"))
      EXPECT_EQ(auth.username, "") << text;
  }
}

}  // namespace
}  // namespace skerry::edged
