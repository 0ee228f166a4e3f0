#include "services/cloudhub-svc/join/token_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/join_tokens.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

class TokenAdminTest : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  testing::FakeClock clock_;
  std::unique_ptr<SqliteTokenStore> tokens_ = *SqliteTokenStore::Open(dir_.File("tokens.db"), true);
  TokenAdmin admin_{*tokens_, std::string(64, 'a'), clock_, log::Logger::Null()};
};

TEST_F(TokenAdminTest, ChecksWhatItIsGiven) {
  v1::CreateJoinTokenResponse response;
  auto refused = [&](auto change) {
    v1::CreateJoinTokenRequest request;
    change(request);
    return admin_.Create(request, "tester", response).code();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(refused([](auto& r) { r.mutable_ttl()->set_seconds(59); }), kInvalid);
  EXPECT_EQ(refused([](auto& r) { r.mutable_ttl()->set_seconds(366 * 86400); }), kInvalid);
  EXPECT_EQ(refused([](auto& r) { r.mutable_ttl()->set_seconds(-5); }), kInvalid);
  EXPECT_EQ(refused([](auto& r) { r.set_node("Not A Name"); }), kInvalid);
  EXPECT_EQ(refused([](auto& r) { r.set_description(std::string(201, 'x')); }), kInvalid);
  EXPECT_EQ(refused([](auto& r) { r.set_request_id(std::string(65, 'x')); }), kInvalid);
  v1::RevokeJoinTokenRequest revoke;
  revoke.set_name("tokens/x");
  EXPECT_EQ(admin_.Revoke(revoke, "tester").code(), kInvalid);
  revoke.set_name("joinTokens/x");
  EXPECT_THAT(admin_.Revoke(revoke, "tester"), HasReason("TOKEN_UNKNOWN"));
}

TEST_F(TokenAdminTest, TellsTheSecretOnceAndListsByPages) {
  v1::CreateJoinTokenRequest request;
  request.mutable_ttl()->set_seconds(3600);
  request.set_node("edge-1");
  request.set_single_use(true);
  request.set_description("harbour");
  request.set_request_id("r1");
  v1::CreateJoinTokenResponse created;
  ASSERT_THAT(admin_.Create(request, "tester", created), IsOk());
  EXPECT_THAT(admin_.Create(request, "tester", created), HasReason("REQUEST_REPEATED"));
  EXPECT_EQ(created.token().expire_time().seconds() - created.token().create_time().seconds(),
            3600);
  for (int i = 0; i < 2; ++i) {
    v1::CreateJoinTokenResponse other;
    ASSERT_THAT(admin_.Create({}, "tester", other), IsOk());
  }
  v1::ListJoinTokensRequest list;
  list.set_page_size(2);
  v1::ListJoinTokensResponse page;
  ASSERT_THAT(admin_.List(list, page), IsOk());
  EXPECT_EQ(page.tokens_size(), 2);
  EXPECT_THAT(page.DebugString(),
              Not(HasSubstr(security::ParseJoinToken(created.secret())->secret)));
  list.set_page_token(page.next_page_token());
  v1::ListJoinTokensResponse last;
  ASSERT_THAT(admin_.List(list, last), IsOk());
  EXPECT_EQ(last.tokens_size(), 1);
  EXPECT_EQ(last.next_page_token(), "");
  list.set_page_token("nonsense");
  EXPECT_EQ(admin_.List(list, last).code(), absl::StatusCode::kInvalidArgument);
  list.set_page_size(-1);
  EXPECT_EQ(admin_.List(list, last).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::cloudhub
