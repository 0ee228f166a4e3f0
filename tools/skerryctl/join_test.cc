// skerryctl join against the real join server, over TLS on loopback.
#include "tools/skerryctl/join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/cloudhub-svc/join/hub_pki.h"
#include "services/cloudhub-svc/join/join_server.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/join/token_admin.h"
#include "services/lib/base/error.h"
#include "services/lib/http/https_client.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "tools/skerryctl/cloud_address.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadFileText;

// Answers what a test prepares, else asks the real one; remembers the requests.
class SpyClient final : public http::HttpsClient {
 public:
  absl::StatusOr<http::HttpsResponse> Call(const http::HttpsRequest& request) override {
    requests.push_back(request);
    for (const auto& [ending, answer] : answers) {
      if (request.url.size() >= ending.size() &&
          request.url.compare(request.url.size() - ending.size(), ending.size(), ending) == 0) {
        return answer;
      }
    }
    return real_.Call(request);
  }
  std::map<std::string, absl::StatusOr<http::HttpsResponse>> answers;  // By the end of the URL.
  std::vector<http::HttpsRequest> requests;

 private:
  http::BeastHttpsClient real_;
};

// A hub with its join port.
struct Hub {
  explicit Hub(Clock& clock) : registry("cloudhub-svc") {
    pki = *cloudhub::HubPki::Open({.state_dir = dir.File("hub")}, clock, log::Logger::Null());
    tokens = *cloudhub::SqliteTokenStore::Open(dir.File("tokens.db"), true);
    admin = std::make_unique<cloudhub::TokenAdmin>(*tokens, pki->ca().hash(), clock,
                                                   log::Logger::Null());
    server = *cloudhub::JoinServer::Create(
        {.listen = "127.0.0.1:0", .link_bound_address = "127.0.0.1:4433"}, *pki, *tokens, *tokens,
        registry, clock, log::Logger::Null());
  }
  std::string Token(
      const std::function<void(cloudhub::v1::CreateJoinTokenRequest&)>& change = nullptr) {
    cloudhub::v1::CreateJoinTokenRequest request;
    if (change) change(request);
    cloudhub::v1::CreateJoinTokenResponse response;
    EXPECT_THAT(admin->Create(request, "tester", response), IsOk());
    return response.secret();
  }

  testing::TempDir dir;
  metrics::Registry registry;
  std::unique_ptr<cloudhub::HubPki> pki;
  std::unique_ptr<cloudhub::SqliteTokenStore> tokens;
  std::unique_ptr<cloudhub::TokenAdmin> admin;
  std::unique_ptr<cloudhub::JoinServer> server;
};

class JoinTest : public ::testing::Test {
 protected:
  JoinTest() : hub_clock_(absl::Now()), box_clock_(hub_clock_.Now()), hub_(hub_clock_) {
    options_.cloud = "https://" + hub_.server->address();
    options_.node_name = "edge-1";
    options_.layout.folder = dir_.File("etc");
    options_.layout.run_dir = "/run/x";
  }

  absl::Status Join() {
    steps_.clear();
    Joiner joiner(options_, https_, box_clock_,
                  [this](absl::string_view step, absl::string_view) { steps_.emplace_back(step); });
    return joiner.Run();
  }
  // What Join() fails with; the box must be as it was.
  StepError Failure() {
    std::string before = ReadFileText(dir_.File("etc/node.pem"));
    absl::Status status = Join();
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(ReadFileText(dir_.File("etc/node.pem")), before);
    StepError error = FromStatus(status);
    EXPECT_FALSE(error.step.empty() || error.expected.empty() || error.seen.empty() ||
                 error.fix.empty())
        << Describe(error);
    return error;
  }

  testing::TempDir dir_;
  testing::FakeClock hub_clock_;
  testing::FakeClock box_clock_;
  Hub hub_;
  SpyClient https_;
  JoinOptions options_;
  std::vector<std::string> steps_;
};

TEST_F(JoinTest, LeavesAWorkingIdentityAndConfiguration) {
  options_.token = hub_.Token();
  ASSERT_THAT(Join(), IsOk());
  EXPECT_THAT(steps_,
              ElementsAre("resolve the hub's name", "fetch the hub's CA", "compare the CA's hash",
                          "compare the clocks", "request the certificate", "verify the certificate",
                          "write the files"));
  std::string identity = ReadFileText(dir_.File("etc/node.pem"));
  auto info = *security::ParseCertificatePem(identity);
  EXPECT_EQ(info.common_name, "system:node:edge-1");
  EXPECT_THAT(security::CheckKeyFitsCertificate(identity, identity), IsOk());
  EXPECT_EQ(ReadFileText(dir_.File("etc/ca.crt")), hub_.pki->ca().certificate_pem());
  struct stat key;
  ASSERT_EQ(stat(dir_.File("etc/node.pem").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600u);
  const std::string edgehub = ReadFileText(dir_.File("etc/edgehub.yaml"));
  EXPECT_THAT(edgehub, HasSubstr("\n  address: \"127.0.0.1:4433\""));
  EXPECT_THAT(edgehub, HasSubstr("join_address: \"" + hub_.server->address() + "\""));
  EXPECT_THAT(edgehub, HasSubstr("identity: \"" + dir_.File("etc/node.pem") + "\""));
  EXPECT_THAT(ReadFileText(dir_.File("etc/edged.yaml")), HasSubstr("name: \"edge-1\""));
  EXPECT_THAT(ReadFileText(dir_.File("etc/eventbus.yaml")), HasSubstr("name: \"edge-1\"\nmqtt:"));
  EXPECT_THAT(ReadFileText(dir_.File("etc/servicebus.yaml")),
              AllOf(HasSubstr("run_dir: \"/run/x\""), HasSubstr("allowed: []")));
  EXPECT_THAT(ReadFileText(dir_.File("etc/twin.yaml")), HasSubstr("run_dir: \"/run/x\""));
  EXPECT_THAT(ReadFileText(dir_.File("etc/edge-meta.yaml")), HasSubstr("run_dir: \"/run/x\""));
}

TEST_F(JoinTest, SendsTheTokenOnlyToTheHubThatItNames) {
  options_.token = hub_.Token();
  ASSERT_THAT(Join(), IsOk());
  ASSERT_EQ(https_.requests.size(), 3u);
  for (const http::HttpsRequest& request : https_.requests) {
    bool carries_token = !request.headers.empty();
    EXPECT_EQ(carries_token, !request.ca_pem.empty()) << request.url;
  }
  EXPECT_EQ(https_.requests[2].ca_pem, hub_.pki->ca().certificate_pem());
}

TEST_F(JoinTest, CanBeRunAgainAndForced) {
  options_.token = hub_.Token([](auto& r) { r.set_single_use(true); });
  ASSERT_THAT(Join(), IsOk());
  std::string first = ReadFileText(dir_.File("etc/node.pem"));
  ASSERT_THAT(Join(), IsOk()) << "the token is used up, but there is nothing to do";
  EXPECT_THAT(steps_, ElementsAre("look for an earlier join"));
  EXPECT_EQ(ReadFileText(dir_.File("etc/node.pem")), first);

  dir_.Write("etc/edgehub.yaml", "mine");
  options_.force = true;
  options_.token = hub_.Token();
  StepError error = Failure();
  EXPECT_EQ(error.reason, "NODE_ALREADY_JOINED") << "a new key needs a token for the node";
  EXPECT_EQ(error.exit_code, ExitCode::kRefused);
  EXPECT_THAT(error.fix, HasSubstr("skerryctl token create --node"));
  EXPECT_EQ(ReadFileText(dir_.File("etc/edgehub.yaml")), "mine");
  options_.token = hub_.Token([](auto& r) { r.set_node("edge-1"); });
  ASSERT_THAT(Join(), IsOk());
  EXPECT_NE(ReadFileText(dir_.File("etc/node.pem")), first);
  EXPECT_THAT(ReadFileText(dir_.File("etc/edgehub.yaml")), HasSubstr("cloud:"));
}

TEST_F(JoinTest, RenewsAnExpiredOrDamagedIdentityButKeepsConfiguration) {
  options_.token = hub_.Token([](auto& r) { r.mutable_ttl()->set_seconds(365 * 86400); });
  ASSERT_THAT(Join(), IsOk());
  std::string first = ReadFileText(dir_.File("etc/node.pem"));
  dir_.Write("etc/edgehub.yaml", "mine");
  dir_.Write("etc/node.pem", "garbage");
  EXPECT_EQ(Failure().reason, "NODE_ALREADY_JOINED") << "the new key needs a token for the node";
  options_.token = hub_.Token([](auto& r) { r.set_node("edge-1"); });
  ASSERT_THAT(Join(), IsOk());
  EXPECT_NE(ReadFileText(dir_.File("etc/node.pem")), first);
  EXPECT_EQ(ReadFileText(dir_.File("etc/edgehub.yaml")), "mine");
}

TEST_F(JoinTest, AnotherIdentityIsNotOverwritten) {
  options_.token = hub_.Token();
  ASSERT_THAT(Join(), IsOk());
  options_.node_name = "edge-2";
  StepError error = Failure();
  EXPECT_EQ(error.reason, "ALREADY_JOINED_ELSEWHERE");
  EXPECT_EQ(error.exit_code, ExitCode::kLocalFiles);
  EXPECT_THAT(error.fix, HasSubstr("--force"));

  Hub other(hub_clock_);
  options_.node_name = "edge-1";
  options_.token = other.Token();
  EXPECT_EQ(Failure().reason, "ALREADY_JOINED_ELSEWHERE");
}

TEST_F(JoinTest, AnotherHubsTokenIsStoppedBeforeItIsSent) {
  Hub other(hub_clock_);
  options_.token = other.Token();
  StepError error = Failure();
  EXPECT_EQ(error.step, "compare the CA's hash");
  EXPECT_EQ(error.reason, "CA_HASH_MISMATCH");
  EXPECT_EQ(error.exit_code, ExitCode::kUntrusted);
  EXPECT_THAT(error.expected, HasSubstr(other.pki->ca().hash()));
  EXPECT_THAT(error.seen, HasSubstr(hub_.pki->ca().hash()));
  EXPECT_EQ(https_.requests.size(), 1u);
}

TEST_F(JoinTest, TellsWhyTheHubSaysNo) {
  auto refused = [this](const std::string& reason) {
    StepError error = Failure();
    EXPECT_EQ(error.reason, reason);
    EXPECT_EQ(error.exit_code, ExitCode::kRefused);
    EXPECT_EQ(error.step, "request the certificate");
  };
  options_.token = hub_.Token([](auto& r) { r.set_node("edge-2"); });
  refused("TOKEN_WRONG_NODE");

  options_.token = hub_.Token();
  cloudhub::v1::RevokeJoinTokenRequest revoke;
  revoke.set_name("joinTokens/" + security::ParseJoinToken(options_.token)->id);
  ASSERT_THAT(hub_.admin->Revoke(revoke, "tester"), IsOk());
  refused("TOKEN_REVOKED");

  security::JoinToken unknown = *security::MakeJoinToken(hub_.pki->ca().hash());
  options_.token = security::FormatJoinToken(unknown);
  refused("TOKEN_UNKNOWN");

  options_.token = hub_.Token([](auto& r) { r.set_single_use(true); });
  ASSERT_THAT(Join(), IsOk());
  options_.force = true;
  refused("TOKEN_USED");

  options_.token = hub_.Token([](auto& r) { r.mutable_ttl()->set_seconds(60); });
  hub_clock_.Advance(absl::Minutes(2));
  box_clock_.Advance(absl::Minutes(2));
  refused("TOKEN_EXPIRED");
}

TEST_F(JoinTest, NamesTheHubThatIsNotReached) {
  options_.token = hub_.Token();
  options_.cloud = "https://hub.invalid:10002";
  StepError error = Failure();
  EXPECT_EQ(error.step, "resolve the hub's name");
  EXPECT_EQ(error.reason, "RESOLVE_FAILED");
  EXPECT_EQ(error.exit_code, ExitCode::kUnreachable);

  options_.cloud = "https://" + hub_.server->address();
  hub_.server->Shutdown(absl::Now());
  hub_.server.reset();
  error = Failure();
  EXPECT_EQ(error.step, "fetch the hub's CA");
  EXPECT_EQ(error.reason, "CONNECT_FAILED");
  EXPECT_EQ(error.exit_code, ExitCode::kUnreachable);
  EXPECT_THAT(error.fix, HasSubstr("firewall"));

  https_.answers["/v1/ca.pem"] =
      Error(absl::StatusCode::kUnavailable, "timed out").Reason("TIMED_OUT").ToStatus();
  EXPECT_EQ(Failure().reason, "TIMED_OUT");
}

TEST_F(JoinTest, AWrongClockIsNamedBeforeTheTokenIsUsed) {
  options_.token = hub_.Token([](auto& r) { r.set_single_use(true); });
  for (absl::Duration skew : {absl::Hours(2), -absl::Hours(2)}) {
    box_clock_.SetNow(hub_clock_.Now() + skew);
    StepError error = Failure();
    EXPECT_EQ(error.step, "compare the clocks");
    EXPECT_EQ(error.reason, "CLOCK_SKEW");
    EXPECT_EQ(error.exit_code, ExitCode::kClock);
    EXPECT_THAT(error.seen, HasSubstr(skew > absl::ZeroDuration() ? "2h ahead" : "2h behind"));
  }
  box_clock_.SetNow(hub_clock_.Now() + absl::Minutes(4));
  EXPECT_THAT(Join(), IsOk());
}

TEST_F(JoinTest, ClocksThatAgreeOnAnImpossibleTimeAreNamed) {
  hub_clock_.SetNow(hub_clock_.Now() - absl::Hours(24));
  box_clock_.SetNow(hub_clock_.Now());
  options_.token = hub_.Token();
  StepError error = Failure();
  EXPECT_EQ(error.reason, "CA_NOT_VALID_NOW");
  EXPECT_EQ(error.exit_code, ExitCode::kClock);
}

TEST_F(JoinTest, AHubThatIsDialledByAStrangeNameIsNamed) {
  options_.token = hub_.Token();
  https_.answers["/v1/join"] =
      Error(absl::StatusCode::kUnavailable, "no alternative certificate subject name matches")
          .Reason("TLS_UNTRUSTED")
          .ToStatus();
  StepError error = Failure();
  EXPECT_EQ(error.exit_code, ExitCode::kUntrusted);
  EXPECT_THAT(error.fix, HasSubstr("tls.sans"));
}

TEST_F(JoinTest, DoesNotTakeWhateverAHubAnswers) {
  options_.token = hub_.Token();
  https_.answers["/v1/join"] = http::HttpsResponse{200, "<html>"};
  EXPECT_EQ(Failure().reason, "HUB_ANSWER_INVALID");
  https_.answers["/v1/join"] = http::HttpsResponse{200, R"({"certificate": 7, "linkAddress": []})"};
  EXPECT_EQ(Failure().reason, "HUB_ANSWER_INVALID");
  for (const char* address : {"a", "a:0", "a:1\\nroot_dir: /", "a b:1", ":1"}) {
    https_.answers["/v1/join"] = http::HttpsResponse{
        200, absl::StrCat(R"({"certificate": "x", "linkAddress": ")", address, R"("})")};
    EXPECT_EQ(Failure().reason, "HUB_ANSWER_INVALID") << address;
  }
  https_.answers["/v1/join"] =
      http::HttpsResponse{200, R"({"certificate": "x", "linkAddress": "a:1"})"};
  EXPECT_EQ(Failure().step, "verify the certificate");
  auto other = hub_.pki->ca().Issue({.subject = {.common_name = "system:node:edge-1"},
                                     .now = hub_clock_.Now(),
                                     .for_client = true});
  std::string escaped;
  for (char c : other->certificate_pem)
    escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
  https_.answers["/v1/join"] = http::HttpsResponse{
      200, absl::StrCat(R"({"certificate": ")", escaped, R"(", "linkAddress": "a:1"})")};
  StepError error = Failure();
  EXPECT_EQ(error.reason, "CERTIFICATE_INVALID");
  EXPECT_THAT(error.seen, HasSubstr("private key"));
  https_.answers["/v1/time"] = http::HttpsResponse{200, R"({"time": "yesterday"})"};
  EXPECT_EQ(Failure().step, "compare the clocks");
  https_.answers["/v1/ca.pem"] = http::HttpsResponse{404, "not here"};
  EXPECT_EQ(Failure().step, "fetch the hub's CA");
}

TEST_F(JoinTest, AFolderThatCannotBeWrittenDoesNotCostTheToken) {
  options_.token = hub_.Token([](auto& r) { r.set_single_use(true); });
  std::string folder = options_.layout.folder;
  dir_.Write("file", "");
  options_.layout.folder = dir_.File("file/below");
  StepError error = Failure();
  EXPECT_EQ(error.exit_code, ExitCode::kLocalFiles);
  options_.layout.folder = folder;
  EXPECT_THAT(Join(), IsOk());
}

TEST_F(JoinTest, RefusesArgumentsThatCannotBe) {
  options_.token = "x";
  EXPECT_EQ(Failure().exit_code, ExitCode::kUsage);
  options_.token = hub_.Token();
  options_.node_name = "Edge_1";
  EXPECT_EQ(Failure().exit_code, ExitCode::kUsage);
  options_.node_name = "edge-1";
  options_.cloud = "http://hub:10002";
  EXPECT_EQ(Failure().exit_code, ExitCode::kUsage);
  EXPECT_TRUE(https_.requests.empty());
}

TEST(CloudAddressTest, FillsInWhatIsLeftOut) {
  EXPECT_EQ(ParseCloudAddress("hub.example")->url, "https://hub.example:10002");
  EXPECT_EQ(ParseCloudAddress("https://hub.example/")->url, "https://hub.example:10002");
  EXPECT_EQ(ParseCloudAddress("https://hub.example:443")->url, "https://hub.example:443");
  EXPECT_EQ(ParseCloudAddress("[2001:db8::1]:1")->url, "https://[2001:db8::1]:1");
  EXPECT_EQ(ParseCloudAddress("[2001:db8::1]")->host, "2001:db8::1");
  for (const char* bad : {"", "https://", "http://hub", "hub:0", "hub:70000", "hub:x", "[::1",
                          "hub/path", "hub?x", "a@b"}) {
    EXPECT_FALSE(ParseCloudAddress(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace skerry::skerryctl
