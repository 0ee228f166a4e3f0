// Tokens of ServiceAccounts over the API, from their issue to their end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/auth/file_access_control.h"
#include "services/lib/kubeapi/auth/service_account_tokens.h"
#include "services/lib/kubeapi/built_in.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/server_metrics.h"
#include "services/lib/kubeapi/store/sqlite_object_store.h"
#include "services/lib/security/jwt.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

using ::testing::HasSubstr;

constexpr char kReviews[] = "/apis/authentication.k8s.io/v1/tokenreviews";
constexpr char kAccounts[] = "/api/v1/namespaces/shop/serviceaccounts";
constexpr char kTokens[] = "/api/v1/namespaces/shop/serviceaccounts/billing/token";
constexpr char kUser[] = "system:serviceaccount:shop:billing";

class ApiServerTokensTest : public ::testing::Test {
 protected:
  ApiServerTokensTest() {
    SqliteObjectStoreOptions options;
    options.path = dir_.File("objects.db");
    store_ = OpenSqliteObjectStore(options, metrics_).value();
    registry_ = MakeBuiltInRegistry().value();
    objects_ = std::make_unique<ObjectService>(*store_, *registry_, clock_, ObjectServiceOptions{});
    tokens_ = std::make_unique<ServiceAccountTokens>(
        *security::JwtKey::LoadOrCreate(dir_.File("sa.key")),
        [this](const std::string& ns, const std::string& name) -> absl::StatusOr<std::string> {
          const auto account =
              objects_->Get(*registry_->Find("", "v1", "serviceaccounts"), ns, name);
          if (!account.ok()) return account.status();
          return StringAt(*account, {"metadata", "uid"});
        },
        clock_);
    dir_.Write("policy.yaml", "rules: []");
    dir_.Write("tokens.yaml", "tokens: [{token: 0123456789abcdef, user: alice, groups: [g]}]");
    access_ = *FileAccessControl::Create({.policy_file = dir_.File("policy.yaml"),
                                          .token_file = dir_.File("tokens.yaml"),
                                          .service_accounts = tokens_.get()},
                                         log::Logger::Null(), metrics_, &clock_);
    server_ = std::make_unique<ApiServer>(
        ApiServer::Deps{*store_, *registry_, *objects_, *access_, clock_, server_metrics_,
                        log::Logger::Null(), nullptr, nullptr, tokens_.get()});
    client_ = std::make_unique<LocalClient>(*server_, Caller{"root", {}, /*in_process=*/true});
    Must(client_->Post("/api/v1/namespaces", {{"metadata", {{"name", "shop"}}}}));
    MakeAccount();
  }

  void MakeAccount() { Must(client_->Post(kAccounts, {{"metadata", {{"name", "billing"}}}})); }
  static Json Must(absl::StatusOr<Json> result) {
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : Json::object();
  }
  static int Code(const absl::StatusOr<Json>& result) {
    return result.ok() ? 200 : HttpCode(result.status());
  }
  absl::StatusOr<Json> Order(const Json& spec) { return client_->Post(kTokens, {{"spec", spec}}); }
  std::string Issue(const Json& spec) { return StringAt(Must(Order(spec)), {"status", "token"}); }
  absl::StatusOr<Json> Review(const Json& spec) {
    return client_->Post(kReviews, {{"spec", spec}});
  }
  // Empty where it is refused.
  std::string UserOf(const std::string& token, const std::vector<std::string>& audiences) {
    return StringAt(Must(Review({{"token", token}, {"audiences", audiences}})),
                    {"status", "user", "username"});
  }
  absl::StatusOr<Caller> Authenticate(const std::string& token) {
    return access_->Authenticate({.path = "/x", .headers = {{"authorization", "Bearer " + token}}});
  }

  testing::TempDir dir_;
  testing::FakeClock clock_{absl::FromUnixSeconds(1790000000)};
  metrics::Registry metrics_{"test"};
  ServerMetrics server_metrics_{metrics_};
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<ResourceRegistry> registry_;
  std::unique_ptr<ObjectService> objects_;
  std::unique_ptr<ServiceAccountTokens> tokens_;
  std::unique_ptr<FileAccessControl> access_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<LocalClient> client_;
};

TEST_F(ApiServerTokensTest, IssuesWhatItKnowsAgain) {
  const Json made = Must(Order({{"audiences", {"skerry"}}, {"expirationSeconds", 600}}));
  EXPECT_EQ(made["kind"], "TokenRequest");
  EXPECT_EQ(made["metadata"]["name"], "billing");
  EXPECT_EQ(
      made["spec"],
      (Json{{"audiences", {"skerry"}}, {"expirationSeconds", 600}, {"boundObjectRef", nullptr}}));
  EXPECT_EQ(made["status"]["expirationTimestamp"], "2026-09-21T14:23:20Z");
  const std::string token = StringAt(made, {"status", "token"});
  const Json review = Must(Review({{"token", token}, {"audiences", {"other", "skerry"}}}));
  EXPECT_EQ(review["status"], (Json{{"authenticated", true},
                                    {"audiences", {"skerry"}},
                                    {"user",
                                     {{"username", kUser},
                                      {"groups",
                                       {"system:serviceaccounts", "system:serviceaccounts:shop",
                                        "system:authenticated"}}}}}));
  EXPECT_FALSE(review["spec"].contains("token"));
  EXPECT_TRUE(absl::IsUnauthenticated(Authenticate(token).status())) << "it is for others";
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(UserOf(token, {"skerry"}), "");
}

TEST_F(ApiServerTokensTest, WithoutAnAudienceTheyAreForThisServer) {
  const std::string token = Issue(Json::object());
  EXPECT_EQ(Authenticate(token)->name, kUser);
  EXPECT_EQ(UserOf(token, {}), kUser);
  EXPECT_EQ(UserOf(token, {"skerry"}), "");
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(UserOf(token, {}), kUser);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(UserOf(token, {}), "");
}

TEST_F(ApiServerTokensTest, ATokenEndsWithItsServiceAccount) {
  const std::string token = Issue({{"audiences", {"skerry"}}});
  EXPECT_EQ(UserOf(token, {"skerry"}), kUser);
  Must(client_->Delete(std::string(kAccounts) + "/billing"));
  EXPECT_EQ(UserOf(token, {"skerry"}), "");
  MakeAccount();
  EXPECT_EQ(UserOf(token, {"skerry"}), "") << "that is another one";
}

TEST_F(ApiServerTokensTest, TokensOfTheFileAreForThisServerOnly) {
  EXPECT_EQ(UserOf("0123456789abcdef", {}), "alice");
  EXPECT_EQ(UserOf("0123456789abcdef", {kApiAudience}), "alice");
  EXPECT_EQ(UserOf("0123456789abcdef", {"skerry"}), "");
}

TEST_F(ApiServerTokensTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(Code(Order({{"expirationSeconds", 599}})), 422);
  EXPECT_EQ(Code(Order({{"expirationSeconds", int64_t{1} << 33}})), 422);
  EXPECT_EQ(Code(Order({{"expirationSeconds", "long"}})), 422);
  EXPECT_EQ(Code(Order({{"audiences", std::vector<std::string>(17, "a")}})), 422);
  EXPECT_EQ(Code(Order({{"audiences", {std::string(513, 'a')}}})), 422);
  const auto bound = Order({{"boundObjectRef", {{"kind", "Pod"}, {"name", "p"}}}});
  EXPECT_EQ(Code(bound), 422);
  EXPECT_THAT(std::string(bound.status().message()), HasSubstr("spec.boundObjectRef"));
  EXPECT_EQ(Code(client_->Post(std::string(kAccounts) + "/nobody/token", Json::object())), 404);
  const Json body = Json::object();
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    EXPECT_EQ(Code(client_->Call(method, kTokens, {}, &body)), 405) << method;
  }
  EXPECT_EQ(Code(Review(Json::object())), 422);
  EXPECT_EQ(Code(Review({{"token", "t"}, {"audiences", "skerry"}})), 422);
  EXPECT_EQ(Code(Review({{"token", "t"}, {"audiences", {""}}})), 422);
  EXPECT_EQ(Code(client_->Get(kReviews)), 405);
  EXPECT_EQ(Must(Review({{"token", "nonsense"}}))["status"]["error"],
            "the token is not one of this server");
}

}  // namespace
}  // namespace skerry::kubeapi
