#include "services/cloudhub-svc/join/join_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/join/token_admin.h"
#include "services/cloudhub-svc/join/tokens_db.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/join_tokens.h"
#include "services/lib/security/x509.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

std::string CsrFor(const std::string& common_name,
                   const std::string& organization = "system:nodes") {
  return security::MakeKeyAndCsr({.common_name = common_name, .organizations = {organization}})
      ->csr_pem;
}

class JoinHandlerTest : public ::testing::Test {
 protected:
  // The token's text.
  std::string Create(const v1::CreateJoinTokenRequest& request = {}) {
    v1::CreateJoinTokenResponse response;
    EXPECT_THAT(admin_.Create(request, "tester", response), IsOk());
    return response.secret();
  }
  http::Response Get(const std::string& path) {
    return handler_.Handle({.method = "GET", .path = path, .remote = "10.0.0.1:4711"});
  }
  http::Response Post(const std::string& token, const std::string& csr,
                      const std::string& remote = "10.0.0.1:4711") {
    return handler_.Handle(
        {.method = "POST",
         .path = "/v1/join",
         .headers = {{"authorization", "Bearer " + token}, {"host", "hub.example:10002"}},
         .body = csr,
         .remote = remote});
  }
  http::Response Look(const std::string& token, const std::string& remote = "10.0.0.1:4711") {
    return handler_.Handle(
        {.method = "POST", .path = "/v1/token", .body = token, .remote = remote});
  }
  // Of skerry_cloudhub_<requests>_requests_total.
  ::testing::AssertionResult Counted(const std::string& requests, const std::string& reason,
                                     int count) {
    const std::string line = absl::StrCat("skerry_cloudhub_", requests, "_requests_total{reason=\"",
                                          reason, "\"} ", count, "\n");
    return absl::StrContains(registry_.Render(), line) ? ::testing::AssertionSuccess()
                                                       : ::testing::AssertionFailure() << line;
  }
  std::string ReasonOf(const http::Response& response) {
    nlohmann::json body = nlohmann::json::parse(response.body);
    EXPECT_FALSE(body["code"].get<std::string>().empty());
    EXPECT_FALSE(body["message"].get<std::string>().empty());
    EXPECT_FALSE(body["fix"].get<std::string>().empty());
    return body["reason"];
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
  metrics::Registry registry_{"cloudhub-svc"};
  JoinMetrics metrics_{registry_};
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", clock_.Now());
  std::unique_ptr<SqliteTokenStore> tokens_ = *SqliteTokenStore::Open(dir_.File("tokens.db"), true);
  TokenAdmin admin_{*tokens_, ca_->hash(), clock_, log::Logger::Null()};
  RenewalHandler renewals_{{}, *ca_, *tokens_, metrics_, clock_, log::Logger::Null()};
  JoinHandler handler_{{.link_port = "10000"}, *ca_, *tokens_, renewals_, metrics_, clock_,
                       log::Logger::Null()};
};

TEST_F(JoinHandlerTest, SignsForTheNodeInTheRequest) {
  http::Response response = Post(Create(), CsrFor("system:node:edge-1"));
  ASSERT_EQ(response.status, 200) << response.body;
  nlohmann::json body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body["node"], "edge-1");
  EXPECT_EQ(body["linkAddress"], "hub.example:10000");
  EXPECT_EQ(body["caCertificate"], ca_->certificate_pem());
  auto info = *security::ParseCertificatePem(body["certificate"].get<std::string>());
  EXPECT_EQ(info.common_name, "system:node:edge-1");
  EXPECT_THAT(info.organizations, ElementsAre("system:nodes"));
  EXPECT_EQ(info.not_after, clock_.Now() + absl::Hours(24 * 365));
  EXPECT_THAT(security::VerifyChain(body["certificate"].get<std::string>(), ca_->certificate_pem(),
                                    clock_.Now()),
              IsOk());
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_cloudhub_join_requests_total{reason=\"ISSUED\"} 1"));
}

TEST_F(JoinHandlerTest, ServesTheCaAndTheTime) {
  EXPECT_EQ(Get("/v1/ca.pem").body, ca_->certificate_pem());
  http::Response der = Get("/ca.crt");
  EXPECT_EQ(security::Sha256Hex(der.body), ca_->hash()) << "as KubeEdge's edgecore checks it";
  EXPECT_EQ(nlohmann::json::parse(Get("/v1/time").body)["time"], "2026-01-01T00:00:00+00:00");
  EXPECT_EQ(Get("/").status, 404);
  EXPECT_EQ(ReasonOf(Get("/metrics")), "NOT_FOUND");
  EXPECT_EQ(Get("/v1/join").status, 405);
  EXPECT_EQ(Get("/v1/renew").status, 405);
}

TEST_F(JoinHandlerTest, RefusesTokensWithTheirReason) {
  std::string csr = CsrFor("system:node:edge-1");
  std::string good = Create();
  EXPECT_EQ(ReasonOf(Post("", csr)), "TOKEN_MALFORMED");
  EXPECT_EQ(ReasonOf(handler_.Handle(
                {.method = "POST", .path = "/v1/join", .body = csr, .remote = "10.0.0.9:1"})),
            "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf(Post(security::FormatJoinToken(*security::MakeJoinToken(ca_->hash())), csr)),
            "TOKEN_UNKNOWN");
  security::JoinToken guessed = *security::ParseJoinToken(good);
  guessed.secret = std::string(32, '0');
  http::Response response = Post(security::FormatJoinToken(guessed), csr);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(ReasonOf(response), "TOKEN_UNKNOWN");

  v1::CreateJoinTokenRequest bound;
  bound.set_node("edge-2");
  response = Post(Create(bound), csr);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(ReasonOf(response), "TOKEN_WRONG_NODE");

  v1::RevokeJoinTokenRequest revoke;
  revoke.set_name("joinTokens/" + security::ParseJoinToken(good)->id);
  ASSERT_THAT(admin_.Revoke(revoke, "tester"), IsOk());
  EXPECT_EQ(ReasonOf(Post(good, csr)), "TOKEN_REVOKED");

  std::string expiring = Create();
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(ReasonOf(Post(expiring, csr)), "TOKEN_EXPIRED");
}

TEST_F(JoinHandlerTest, ABadRequestDoesNotCostASingleUseToken) {
  v1::CreateJoinTokenRequest once;
  once.set_single_use(true);
  std::string token = Create(once);
  http::Response response = Post(token, "nonsense");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ReasonOf(response), "CSR_INVALID");
  EXPECT_EQ(ReasonOf(Post(token, CsrFor("system:node:Not_A_Name"))), "NODE_NAME_INVALID");
  EXPECT_EQ(ReasonOf(Post(token, CsrFor("edge-1"))), "NODE_NAME_INVALID");
  EXPECT_EQ(ReasonOf(Post(token, CsrFor("system:node:edge-1", "system:masters"))),
            "NODE_NAME_INVALID");
  EXPECT_EQ(Post(token, CsrFor("system:node:edge-1")).status, 200);
  EXPECT_EQ(ReasonOf(Post(token, CsrFor("system:node:edge-1"))), "TOKEN_USED");
}

// ---- A look at a token before a join.

TEST_F(JoinHandlerTest, TellsWhatAGoodTokenIsGoodForAndUsesNothingUp) {
  v1::CreateJoinTokenRequest bound;
  bound.set_node("edge-1");
  bound.set_single_use(true);
  const std::string token = Create(bound);
  for (const std::string& sent : {token, token + "\n"}) {
    const http::Response response = Look(sent);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(nlohmann::json::parse(response.body),
              (nlohmann::json{{"id", security::ParseJoinToken(token)->id},
                              {"createTime", "2026-01-01T00:00:00+00:00"},
                              {"expireTime", "2026-01-02T00:00:00+00:00"},
                              {"node", "edge-1"},
                              {"usesLeft", 1}}));
    EXPECT_THAT(response.body, Not(HasSubstr(security::ParseJoinToken(token)->secret)));
  }
  const nlohmann::json any = nlohmann::json::parse(Look(Create()).body);
  EXPECT_FALSE(any.contains("node") || any.contains("usesLeft")) << any;
  EXPECT_TRUE(Counted("token", "GOOD", 3));
  EXPECT_EQ(Post(token, CsrFor("system:node:edge-1")).status, 200);
  EXPECT_TRUE(Counted("join", "ISSUED", 1));
}

TEST_F(JoinHandlerTest, ALookIsRefusedAsAJoinWouldBe) {
  const std::string expired = Create();
  clock_.Advance(absl::Hours(24));
  v1::CreateJoinTokenRequest once;
  once.set_single_use(true);
  const std::string used = Create(once);
  ASSERT_EQ(Post(used, CsrFor("system:node:edge-1")).status, 200);
  const std::string revoked = Create();
  v1::RevokeJoinTokenRequest revoke;
  revoke.set_name("joinTokens/" + security::ParseJoinToken(revoked)->id);
  ASSERT_THAT(admin_.Revoke(revoke, "tester"), IsOk());
  security::JoinToken guessed = *security::ParseJoinToken(Create());
  guessed.secret = std::string(32, '0');
  const std::string unknown = security::FormatJoinToken(*security::MakeJoinToken(ca_->hash()));

  const std::string csr = CsrFor("system:node:edge-2");
  const std::vector<std::pair<std::string, std::string>> refused = {
      {expired, "TOKEN_EXPIRED"},
      {used, "TOKEN_USED"},
      {revoked, "TOKEN_REVOKED"},
      {security::FormatJoinToken(guessed), "TOKEN_UNKNOWN"},
      {"x", "TOKEN_MALFORMED"}};
  for (const auto& [token, reason] : refused) {
    const http::Response look = Look(token);
    EXPECT_EQ(ReasonOf(look), reason);
    EXPECT_TRUE(Counted("token", reason, 1));
    EXPECT_TRUE(Counted("join", reason, 0)) << "a look is no join";
    const http::Response join = Post(token, csr, "10.0.0.2:1");
    EXPECT_EQ(look.status, join.status) << reason;
    EXPECT_EQ(look.body, join.body);
  }
  EXPECT_EQ(Look(security::FormatJoinToken(guessed)).body, Look(unknown).body)
      << "a guesser learns nothing of the token";
  EXPECT_EQ(ReasonOf(Look(" \n")), "TOKEN_MISSING");
  EXPECT_EQ(Get("/v1/token").status, 405);
}

TEST_F(JoinHandlerTest, GuessersAreSlowedDownWhereverTheyGuess) {
  const std::string token = Create();
  const std::string csr = CsrFor("system:node:edge-1");
  const std::string wrong = security::FormatJoinToken(*security::MakeJoinToken(ca_->hash()));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ReasonOf(Post(wrong, csr)), "TOKEN_UNKNOWN");
    EXPECT_EQ(ReasonOf(Look(wrong)), "TOKEN_UNKNOWN");
  }
  EXPECT_EQ(ReasonOf(Look(token)), "RATE_LIMITED");
  EXPECT_EQ(ReasonOf(Post(token, csr)), "RATE_LIMITED");
  EXPECT_TRUE(Counted("token", "RATE_LIMITED", 1));
  EXPECT_TRUE(Counted("join", "RATE_LIMITED", 1));
  EXPECT_EQ(Look(token, "10.0.0.2:1").status, 200);
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(Look(token).status, 200);
}

// ---- The name of a node that has joined.

TEST_F(JoinHandlerTest, AnUnboundTokenDoesNotTakeOverANode) {
  std::string token = Create();
  ASSERT_EQ(Post(token, CsrFor("system:node:edge-1")).status, 200);
  http::Response response = Post(token, CsrFor("system:node:edge-1"));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(ReasonOf(response), "NODE_ALREADY_JOINED");
  EXPECT_EQ(nlohmann::json::parse(response.body)["fix"],
            "create a token for that node: skerryctl token create --node <name>");
  EXPECT_THAT(response.body, HasSubstr("edge-1"));
  EXPECT_THAT(response.body, Not(HasSubstr("CERTIFICATE")));
  EXPECT_EQ(ReasonOf(Post(Create(), CsrFor("system:node:edge-1"))), "NODE_ALREADY_JOINED")
      << "nor does another token";
  EXPECT_EQ(Post(token, CsrFor("system:node:edge-2")).status, 200);
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_cloudhub_join_requests_total{reason=\"NODE_ALREADY_JOINED\"} 2"));
}

TEST_F(JoinHandlerTest, ANodeMayJoinAgainWithItsKey) {
  security::CertificateSubject subject = {.common_name = "system:node:edge-1",
                                          .organizations = {"system:nodes"}};
  security::KeyAndCsr made = *security::MakeKeyAndCsr(subject);
  std::string token = Create();
  EXPECT_EQ(Post(token, made.csr_pem).status, 200);
  EXPECT_EQ(Post(token, made.csr_pem).status, 200);
  EXPECT_EQ(Post(Create(), *security::MakeCsr(made.key_pem, subject)).status, 200)
      << "another request of the same key, with another token";
}

TEST_F(JoinHandlerTest, ATokenForTheNodeReplacesItsKey) {
  std::string old_box = CsrFor("system:node:edge-1");
  std::string new_box = CsrFor("system:node:edge-1");
  std::string unbound = Create();
  ASSERT_EQ(Post(unbound, old_box).status, 200);
  v1::CreateJoinTokenRequest bound;
  bound.set_node("edge-1");
  EXPECT_EQ(Post(Create(bound), new_box).status, 200);
  EXPECT_EQ(Post(unbound, new_box).status, 200) << "the key on record is the new one";
  EXPECT_EQ(ReasonOf(Post(unbound, old_box)), "NODE_ALREADY_JOINED");
  bound.set_node("edge-2");
  EXPECT_EQ(ReasonOf(Post(Create(bound), old_box)), "TOKEN_WRONG_NODE");
}

TEST_F(JoinHandlerTest, ARefusedTakeoverDoesNotCostASingleUseToken) {
  ASSERT_EQ(Post(Create(), CsrFor("system:node:edge-1")).status, 200);
  v1::CreateJoinTokenRequest once;
  once.set_single_use(true);
  std::string token = Create(once);
  EXPECT_EQ(ReasonOf(Post(token, CsrFor("system:node:edge-1"))), "NODE_ALREADY_JOINED");
  EXPECT_EQ(Post(token, CsrFor("system:node:edge-2")).status, 200);
}

// ---- A hub that has lost which nodes have joined.

class ForgetfulHubTest : public JoinHandlerTest {
 protected:
  ForgetfulHubTest() {
    unbound_ = Create();
    EXPECT_EQ(Post(unbound_, CsrFor("system:node:edge-1")).status, 200);
    auto database = *sqlite::Database::Open({.path = dir_.File("tokens.db")}, kTokensDbMigrations);
    EXPECT_THAT(database->Execute("UPDATE joined_nodes_state SET complete = 0"), IsOk());
  }
  std::string unbound_;
};

TEST_F(ForgetfulHubTest, AnUnboundTokenLetsNoNewNameIn) {
  http::Response response = Post(unbound_, CsrFor("system:node:edge-2"));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(ReasonOf(response), "NODES_NOT_KNOWN");
  EXPECT_THAT(response.body, HasSubstr("edge-2"));
  EXPECT_THAT(response.body, HasSubstr("token create --node"));
  v1::CreateJoinTokenRequest bound;
  bound.set_node("edge-2");
  EXPECT_EQ(Post(Create(bound), CsrFor("system:node:edge-2")).status, 200);
}

TEST_F(ForgetfulHubTest, TokensAreMadeForNodesUntilAnOperatorKnowsThemAll) {
  v1::CreateJoinTokenRequest request;
  v1::CreateJoinTokenResponse response;
  absl::Status refused = admin_.Create(request, "tester", response);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused, HasReason("NODES_NOT_KNOWN"));
  request.set_nodes_known(true);
  EXPECT_EQ(Post(Create(request), CsrFor("system:node:edge-2")).status, 200);
  EXPECT_EQ(Post(Create(), CsrFor("system:node:edge-3")).status, 200);
  EXPECT_EQ(ReasonOf(Post(Create(), CsrFor("system:node:edge-1"))), "NODE_ALREADY_JOINED");
}

TEST_F(JoinHandlerTest, GuessersAreSlowedDownAndOthersAreNot) {
  std::string token = Create();
  std::string csr = CsrFor("system:node:edge-1");
  std::string wrong = security::FormatJoinToken(*security::MakeJoinToken(ca_->hash()));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ReasonOf(Post(wrong, csr)), "TOKEN_UNKNOWN");
  http::Response response = Post(token, csr);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(ReasonOf(response), "RATE_LIMITED");
  EXPECT_EQ(Post(token, csr, "10.0.0.2:1").status, 200);
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(Post(token, csr).status, 200);
}

TEST_F(JoinHandlerTest, FailuresOfTheHubAreNobodysGuesses) {
  const std::string token = Create();
  const std::string csr = CsrFor("system:node:edge-1");
  auto database = *sqlite::Database::Open({.path = dir_.File("tokens.db")}, kTokensDbMigrations);
  ASSERT_THAT(database->Execute("ALTER TABLE join_tokens RENAME TO away"), IsOk());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Post(token, csr).status, 500);
    EXPECT_EQ(Look(token).status, 500);
  }
  ASSERT_THAT(database->Execute("ALTER TABLE away RENAME TO join_tokens"), IsOk());
  EXPECT_EQ(Post(token, csr).status, 200);
}

TEST_F(JoinHandlerTest, FloodsAreRefused) {
  int refused = 0;
  for (int i = 0; i < 200; ++i) refused += Get("/v1/time").status == 429;
  EXPECT_EQ(refused, 80);
}

TEST_F(JoinHandlerTest, KnowsTheLinkAddressOfOddHosts) {
  std::string csr = CsrFor("system:node:edge-1");
  auto link_at = [&](const std::string& host) {
    http::Response response =
        handler_.Handle({.method = "POST",
                         .path = "/v1/join",
                         .headers = {{"authorization", "Bearer " + Create()}, {"host", host}},
                         .body = csr,
                         .remote = "10.0.0.1:1"});
    return nlohmann::json::parse(response.body)["linkAddress"].get<std::string>();
  };
  EXPECT_EQ(link_at("hub"), "hub:10000");
  EXPECT_EQ(link_at("[2001:db8::1]:10002"), "[2001:db8::1]:10000");
  EXPECT_EQ(link_at("[2001:db8::1]"), "[2001:db8::1]:10000");
  JoinHandler fixed({.link_address = "link.example:443"}, *ca_, *tokens_, renewals_, metrics_,
                    clock_, log::Logger::Null());
  http::Response response = fixed.Handle({.method = "POST",
                                          .path = "/v1/join",
                                          .headers = {{"authorization", "Bearer " + Create()}},
                                          .body = csr,
                                          .remote = "10.0.0.1:1"});
  EXPECT_EQ(nlohmann::json::parse(response.body)["linkAddress"], "link.example:443");
}

}  // namespace
}  // namespace skerry::cloudhub
