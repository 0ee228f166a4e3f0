// Two API servers on one PostgreSQL, over HTTPS.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/testing/temp_dir.h"
#include "services/standalone-api-svc/app.h"

namespace skerry::standaloneapi {
namespace {

using kubeapi::Json;
using kubeapi::StringAt;

constexpr absl::Duration kDeadline = absl::Seconds(20);
constexpr char kDefinitions[] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr char kDefinition[] =
    R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"buoys.sea.io"},"spec":{"group":"sea.io","scope":"Namespaced",
      "names":{"plural":"buoys","kind":"Buoy"},"versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",
      "properties":{"depth":{"type":"integer"}}}}}}}]}})";

struct Answer {
  int status = 0;
  Json body;
};

class SharedDatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto postgres = testing::LocalPostgres::Start();
    ASSERT_TRUE(postgres.ok()) << postgres.status();
    postgres_ = *std::move(postgres);
    const auto database = postgres_->CreateDatabase();
    ASSERT_TRUE(database.ok()) << database.status();
    folder_.Write("database", *database);
    folder_.Write("tokens",
                  "tokens: [{token: 0123456789abcdef, user: root, groups: [system:masters]}]\n");
    one_ = Start("one");
    other_ = Start("other");
    ASSERT_NE(one_, nullptr);
    ASSERT_NE(other_, nullptr);
  }

  std::unique_ptr<StandaloneApiApp> Start(const std::string& name) {
    StandaloneApiConfig config;
    config.listen = "127.0.0.1:0";
    config.state_dir = folder_.File(name);
    config.store_kind = "postgres";
    config.postgres_url_file = folder_.File("database");
    config.tokens_file = folder_.File("tokens");
    auto app = std::make_unique<StandaloneApiApp>(config, clock_, log::Logger::Null());
    const absl::Status started = app->Start();
    EXPECT_TRUE(started.ok()) << started;
    return started.ok() ? std::move(app) : nullptr;
  }

  Answer Call(const StandaloneApiApp& app, const std::string& method, const std::string& path,
              const std::string& body = "", const std::string& type = "application/json") {
    testing::CurlRequest request;
    request.url = absl::StrCat("https://", app.addresses().at("api"), path);
    request.method = method;
    request.body = body;
    request.headers = {"Authorization: Bearer 0123456789abcdef", "Content-Type: " + type};
    request.ca_file = folder_.File(&app == one_.get() ? "one/pki/ca.crt" : "other/pki/ca.crt");
    const testing::CurlAnswer answer = testing::Fetch(request);
    EXPECT_EQ(answer.error, "");
    return {answer.status, kubeapi::ParseJson(answer.body).value_or(Json())};
  }
  Answer Get(const StandaloneApiApp& app, const std::string& path) {
    return Call(app, "GET", path);
  }
  // Asks until the answer has that status.
  int WaitFor(const StandaloneApiApp& app, const std::string& path, int status) {
    const absl::Time deadline = absl::Now() + kDeadline;
    int last = 0;
    do {
      last = Get(app, path).status;
    } while (last != status && absl::Now() < deadline);
    return last;
  }

  testing::TempDir folder_;
  SystemClock clock_;
  std::unique_ptr<testing::LocalPostgres> postgres_;
  std::unique_ptr<StandaloneApiApp> one_;
  std::unique_ptr<StandaloneApiApp> other_;
};

TEST_F(SharedDatabaseTest, DefinitionsOfOneServerAreServedByTheOther) {
  const std::string buoys = "/apis/sea.io/v1/namespaces/default/buoys";
  const std::string definition = absl::StrCat(kDefinitions, "/buoys.sea.io");
  ASSERT_EQ(Call(*one_, "POST", kDefinitions, kDefinition).status, 201);
  EXPECT_EQ(Get(*one_, "/apis/sea.io/v1").status, 200);  // At once where it was written.

  // Made: discovery, OpenAPI, endpoints.
  ASSERT_EQ(WaitFor(*other_, "/apis/sea.io/v1", 200), 200);
  EXPECT_EQ(StringAt(Get(*other_, "/apis/sea.io").body, {"preferredVersion", "version"}), "v1");
  EXPECT_TRUE(Get(*other_, "/openapi/v3").body["paths"].contains("apis/sea.io/v1"));
  EXPECT_EQ(Get(*other_, "/openapi/v3/apis/sea.io/v1").status, 200);
  EXPECT_TRUE(Get(*other_, "/openapi/v2")
                  .body["paths"]
                  .contains("/apis/sea.io/v1/namespaces/{namespace}/buoys"));
  EXPECT_EQ(Call(*other_, "POST", buoys, R"({"metadata":{"name":"north"},"spec":{"depth":"deep"}})")
                .status,
            422);
  EXPECT_EQ(
      Call(*other_, "POST", buoys, R"({"metadata":{"name":"north"},"spec":{"depth":7}})").status,
      201);
  EXPECT_EQ(Call(*other_, "POST", kDefinitions, kDefinition).status, 409);

  // Changed on the other: a second version.
  ASSERT_EQ(Call(*other_, "PATCH", definition,
                 R"([{"op":"copy","from":"/spec/versions/0","path":"/spec/versions/1"},
                     {"op":"replace","path":"/spec/versions/1/name","value":"v2"},
                     {"op":"replace","path":"/spec/versions/1/storage","value":false}])",
                 "application/json-patch+json")
                .status,
            200);
  EXPECT_EQ(WaitFor(*one_, "/apis/sea.io/v2/namespaces/default/buoys/north", 200), 200);

  // Deleted: its objects go, then the kind, on both.
  ASSERT_EQ(Call(*one_, "DELETE", definition).status, 200);
  EXPECT_EQ(WaitFor(*other_, definition, 404), 404);
  EXPECT_EQ(WaitFor(*one_, buoys, 404), 404);
  EXPECT_EQ(WaitFor(*other_, buoys, 404), 404);
  EXPECT_FALSE(Get(*other_, "/openapi/v3").body["paths"].contains("apis/sea.io/v1"));

  // Made anew: without the old objects.
  ASSERT_EQ(Call(*other_, "POST", kDefinitions, kDefinition).status, 201);
  ASSERT_EQ(WaitFor(*one_, buoys, 200), 200);
  EXPECT_EQ(Get(*one_, buoys).body["items"], Json::array());
}

}  // namespace
}  // namespace skerry::standaloneapi
