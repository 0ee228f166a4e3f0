// The doctor's look at a token, at a real join port.
#include "tools/skerryctl/doctor/token_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/cloudhub-svc/join/hub_pki.h"
#include "services/cloudhub-svc/join/join_server.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/join/token_admin.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/join_tokens.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::skerryctl {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

class TokenProbeTest : public ::testing::Test {
 protected:
  std::string Create(const std::string& node) {
    cloudhub::v1::CreateJoinTokenRequest request;
    request.set_node(node);
    request.set_single_use(true);
    cloudhub::v1::CreateJoinTokenResponse response;
    EXPECT_THAT(admin_.Create(request, "tester", response), IsOk());
    return response.secret();
  }
  Observations Look(const std::string& token) {
    Observations seen;
    LookAtToken({.token = token, .cloud = server_->address(), .node_name = "edge-1"}, clock_, seen);
    return seen;
  }
  int Looks() {
    const std::string page = registry_.Render();
    int count = 0;
    for (absl::string_view line : absl::StrSplit(page, '\n')) {
      int each = 0;
      if (absl::StartsWith(line, "skerry_cloudhub_token_requests_total{") &&
          absl::SimpleAtoi(line.substr(line.rfind(' ') + 1), &each)) {
        count += each;
      }
    }
    return count;
  }

  testing::TempDir dir_;
  testing::FakeClock clock_{absl::Now()};
  metrics::Registry registry_{"cloudhub-svc"};
  std::unique_ptr<cloudhub::HubPki> pki_ =
      *cloudhub::HubPki::Open({.state_dir = dir_.File("hub")}, clock_, log::Logger::Null());
  std::unique_ptr<cloudhub::SqliteTokenStore> tokens_ =
      *cloudhub::SqliteTokenStore::Open(dir_.File("tokens.db"), true);
  cloudhub::TokenAdmin admin_{*tokens_, pki_->ca().hash(), clock_, log::Logger::Null()};
  std::unique_ptr<cloudhub::JoinServer> server_ = *cloudhub::JoinServer::Create(
      {.listen = "127.0.0.1:0", .link_bound_address = "127.0.0.1:4433"}, *pki_, *tokens_, *tokens_,
      registry_, clock_, log::Logger::Null());
};

TEST_F(TokenProbeTest, TheHubSaysWhatTheTokenIsGoodFor) {
  const Observations seen = Look(Create("edge-1"));
  ASSERT_TRUE(seen.token.has_value() && seen.token->asked.has_value());
  EXPECT_TRUE(seen.token->asked_at_join_port);
  EXPECT_THAT(*seen.token->asked, IsOk());
  ASSERT_TRUE(seen.token->known.has_value());
  EXPECT_EQ(seen.token->known->node, "edge-1");
  EXPECT_TRUE(seen.token->known->single_use);
  EXPECT_EQ(seen.token->known->expire_time - seen.token->known->create_time, absl::Hours(24));
  EXPECT_EQ((*tokens_->List("", 1))[0].uses, 0);
  EXPECT_EQ(Looks(), 1);
}

TEST_F(TokenProbeTest, AWrongSecretIsFound) {
  security::JoinToken token = *security::ParseJoinToken(Create("edge-1"));
  token.secret = std::string(32, '0');
  const Observations seen = Look(security::FormatJoinToken(token));
  EXPECT_THAT(*seen.token->asked, HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(std::string(seen.token->asked->message()), Not(HasSubstr(token.secret)));
  EXPECT_FALSE(seen.token->known.has_value());
}

TEST_F(TokenProbeTest, AnotherHubIsNotShownTheToken) {
  security::JoinToken token = *security::ParseJoinToken(Create("edge-1"));
  token.ca_hash = std::string(64, 'a');
  const Observations seen = Look(security::FormatJoinToken(token));
  EXPECT_EQ(seen.token->served_ca_hash, pki_->ca().hash());
  EXPECT_FALSE(seen.token->asked.has_value());
  EXPECT_EQ(Looks(), 0);
}

TEST_F(TokenProbeTest, NorIsTheJoinPortWhereAnOperatorAsksTheApi) {
  Observations seen;
  LookAtToken({.token = Create("edge-1"),
               .cloud = server_->address(),
               .node_name = "edge-1",
               .hub = {.address = "127.0.0.1:1"}},
              clock_, seen);
  EXPECT_FALSE(seen.token->asked_at_join_port);
  EXPECT_THAT(*seen.token->asked, Not(IsOk()));
  EXPECT_EQ(Looks(), 0);
}

}  // namespace
}  // namespace skerry::skerryctl
