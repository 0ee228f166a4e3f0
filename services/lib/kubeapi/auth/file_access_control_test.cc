#include "services/lib/kubeapi/auth/file_access_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kAllow[] =
    "rules: [{name: a, subjects: {users: [alice]}, allow: [{verbs: [get], nonResourceURLs: "
    "[/x]}]}]";

class FileAccessControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.Write("policy.yaml", kAllow);
    dir_.Write("tokens.yaml", "tokens: [{token: 0123456789abcdef, user: alice, groups: [g]}]");
  }
  absl::StatusOr<std::unique_ptr<FileAccessControl>> TryCreate() {
    return FileAccessControl::Create(
        {.policy_file = dir_.File("policy.yaml"), .token_file = dir_.File("tokens.yaml")},
        log::Logger::Null(), registry_, &clock_);
  }
  std::unique_ptr<FileAccessControl> Create() {
    auto created = TryCreate();
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *std::move(created) : nullptr;
  }
  static http::Request With(absl::string_view authorization, const char* path = "/x") {
    http::Request request{.path = path};
    if (!authorization.empty()) request.headers["authorization"] = std::string(authorization);
    return request;
  }

  skerry::testing::TempDir dir_;
  SystemClock clock_;
  metrics::Registry registry_{"test"};
};

TEST_F(FileAccessControlTest, TakesTheCertificateBeforeTheToken) {
  auto access = Create();
  http::Request request = With("Bearer 0123456789abcdef");
  request.client = {.common_name = "system:node:n1", .organizations = {"system:nodes"}};
  const auto caller = access->Authenticate(request);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->name, "system:node:n1");
  EXPECT_THAT(caller->groups, ElementsAre("system:nodes", "system:authenticated"));
  request.client->common_name.clear();
  EXPECT_EQ(access->Authenticate(request)->name, "alice");
}

TEST_F(FileAccessControlTest, KnowsTokens) {
  auto access = Create();
  EXPECT_EQ(access->Authenticate(With("Bearer 0123456789abcdef"))->name, "alice");
  EXPECT_EQ(access->Authenticate(With("bearer  0123456789abcdef "))->name, "alice");
  for (const char* bad : {"Bearer", "Bearer ", "Bearer 0123456789abcdeX", "Basic 0123456789abcdef",
                          "0123456789abcdef"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(access->Authenticate(With(bad)).status())) << bad;
  }
}

TEST_F(FileAccessControlTest, LetsTheAnonymousSeeHealthOnly) {
  auto access = Create();
  EXPECT_TRUE(absl::IsUnauthenticated(access->Authenticate(With("")).status()));
  EXPECT_EQ(access->Authenticate(With("", "/readyz"))->name, "system:anonymous");
  EXPECT_TRUE(absl::IsUnauthenticated(access->Authenticate(With("", "/readyz/x")).status()));
  // Wrong credentials are not the same as none.
  EXPECT_TRUE(
      absl::IsUnauthenticated(access->Authenticate(With("Bearer wrong", "/readyz")).status()));
}

TEST_F(FileAccessControlTest, ReadsChangedFilesAgainAndKeepsTheLastGoodOnes) {
  auto access = Create();
  const RequestInfo x{.path = "/x", .verb = "get"};
  const RequestInfo y{.path = "/y", .verb = "get"};
  EXPECT_TRUE(access->Allows({.name = "alice"}, x));
  dir_.Write("policy.yaml",
             "rules: [{name: longer, subjects: {users: [alice]}, allow: [{verbs: [get], "
             "nonResourceURLs: [/y]}]}]");
  EXPECT_FALSE(access->Allows({.name = "alice"}, x));
  EXPECT_TRUE(access->Allows({.name = "alice"}, y));
  dir_.Write("policy.yaml", "rules: oops");
  EXPECT_TRUE(access->Allows({.name = "alice"}, y));
  dir_.Write("tokens.yaml", "tokens: []");
  EXPECT_FALSE(access->Authenticate(With("Bearer 0123456789abcdef")).ok());
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_kubeapi_auth_reloads_total{file=\"policy\",result=\"error\"} 1"));
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_kubeapi_auth_reloads_total{file=\"tokens\",result=\"ok\"} 1"));
}

TEST_F(FileAccessControlTest, RefusesToStartWithFilesThatCannotBeUsed) {
  dir_.Write("policy.yaml", "rules: oops");
  EXPECT_THAT(std::string(TryCreate().status().message()), HasSubstr("policy.yaml: line 1"));
  dir_.Write("policy.yaml", kAllow);
  dir_.Write("tokens.yaml", "x");
  EXPECT_TRUE(absl::IsInvalidArgument(TryCreate().status()));
  EXPECT_FALSE(FileAccessControl::Create({.policy_file = dir_.File("absent")}, log::Logger::Null(),
                                         registry_, &clock_)
                   .ok());
}

}  // namespace
}  // namespace skerry::kubeapi
