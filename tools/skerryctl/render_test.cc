// What skerryctl prints.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "services/lib/base/error.h"
#include "services/lib/security/join_tokens.h"
#include "tools/skerryctl/status_command.h"
#include "tools/skerryctl/step_error.h"
#include "tools/skerryctl/table.h"
#include "tools/skerryctl/token_command.h"

namespace skerry::skerryctl {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

google::protobuf::Timestamp At(absl::Duration from_now) {
  return TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(kNow + from_now));
}

TEST(TableTest, PadsColumnsAndHidesControlCharacters) {
  Table table({"NAME", "STATE"});
  table.Add({"a-long-name", "\x1b[31mred"});
  table.Add({"b"});
  EXPECT_EQ(table.Render(),
            "NAME          STATE\n"
            "a-long-name   ?[31mred\n"
            "b             -\n");
}

TEST(TableTest, ShowsAgesAsKubectlDoes) {
  EXPECT_EQ(Age(absl::Seconds(-5)), "0s");
  EXPECT_EQ(Age(absl::Seconds(119)), "119s");
  EXPECT_EQ(Age(absl::Minutes(3)), "3m");
  EXPECT_EQ(Age(absl::Minutes(200)), "3h20m");
  EXPECT_EQ(Age(absl::Hours(47)), "47h");
  EXPECT_EQ(Age(absl::Hours(24 * 8)), "8d");
}

TEST(StepErrorTest, SurvivesTheWayThroughAStatus) {
  StepError error = {ExitCode::kClock, "compare", "this", "that", "mend", "CLOCK_SKEW"};
  StepError back = FromStatus(ToStatus(error));
  EXPECT_EQ(back.exit_code, ExitCode::kClock);
  EXPECT_EQ(Describe(back),
            "error [CLOCK_SKEW] at step 'compare'\n"
            "  expected: this\n"
            "  seen:     that\n"
            "  fix:      mend\n");
}

TEST(StepErrorTest, NothingFromAfarDrivesTheTerminal) {
  std::string text = Describe({.step = "s", .seen = "HTTP 403: \x1b[2Jgone\n\xc2\x9b\xc3\xa9"});
  EXPECT_THAT(text, HasSubstr("HTTP 403: ?[2Jgone??\xc3\xa9"));
}

TEST(StepErrorTest, AnyStatusHasAnExitCode) {
  EXPECT_EQ(FromStatus(absl::InvalidArgumentError("x")).exit_code, ExitCode::kUsage);
  EXPECT_EQ(FromStatus(absl::UnavailableError("x")).exit_code, ExitCode::kUnreachable);
  EXPECT_EQ(FromStatus(absl::PermissionDeniedError("x")).exit_code, ExitCode::kRefused);
  EXPECT_EQ(FromStatus(absl::InternalError("x")).exit_code, ExitCode::kFailed);
}

TEST(TokenCommandTest, ReadsTimes) {
  EXPECT_EQ(*ParseTtl("30m"), absl::Minutes(30));
  EXPECT_EQ(*ParseTtl("7d"), absl::Hours(24 * 7));
  EXPECT_EQ(*ParseTtl("1h30m"), absl::Minutes(90));
  for (const char* bad : {"", "0", "-1h", "7", "d", "366d", "99999999999999999999d", "1w"}) {
    EXPECT_FALSE(ParseTtl(bad).ok()) << bad;
  }
}

TEST(TokenCommandTest, MakesRequests) {
  auto request = MakeCreateRequest(
      {.ttl = "1h", .node = "n1", .single_use = true, .nodes_known = true, .description = "d"});
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->ttl().seconds(), 3600);
  EXPECT_EQ(request->node(), "n1");
  EXPECT_TRUE(request->single_use());
  EXPECT_TRUE(request->nodes_known());
  EXPECT_FALSE(MakeCreateRequest({.node = "N 1"}).ok());
}

TEST(TokenCommandTest, AWholeTokenCanBeRevokedWithoutSendingItsSecret) {
  security::JoinToken token = *security::MakeJoinToken(std::string(64, 'a'));
  EXPECT_EQ(TokenNameOf(security::FormatJoinToken(token)), "joinTokens/" + token.id);
  EXPECT_EQ(TokenNameOf(token.id), "joinTokens/" + token.id);
  EXPECT_EQ(TokenNameOf("joinTokens/x"), "joinTokens/x");
}

TEST(TokenCommandTest, ListsTokensWithTheirState) {
  std::vector<cloudhub::v1::JoinToken> tokens(4);
  for (auto& token : tokens) {
    token.set_name("joinTokens/abc");
    *token.mutable_create_time() = At(-absl::Hours(3));
    *token.mutable_expire_time() = At(absl::Hours(3));
  }
  tokens[1].set_revoked(true);
  *tokens[2].mutable_expire_time() = At(-absl::Hours(1));
  tokens[3].set_single_use(true);
  tokens[3].set_uses(1);
  std::string text = RenderTokens(tokens, kNow, Format::kTable);
  EXPECT_THAT(text, HasSubstr("abc   valid     3h0m"));
  EXPECT_THAT(text, HasSubstr("abc   revoked"));
  EXPECT_THAT(text, HasSubstr("abc   expired   0s"));
  EXPECT_THAT(text, HasSubstr("abc   used"));
  nlohmann::json json = nlohmann::json::parse(RenderTokens(tokens, kNow, Format::kJson));
  EXPECT_EQ(json["tokens"].size(), 4u);
  EXPECT_EQ(json["tokens"][1]["state"], "revoked");
  EXPECT_THAT(RenderTokens({}, kNow, Format::kTable), HasSubstr("token create"));
}

BoxStatus HealthyBox() {
  edgehub::v1::EdgeHubStatus hub;
  hub.set_node("edge-1");
  hub.set_cloud_address("hub:10000");
  hub.mutable_link()->set_connected(true);
  *hub.mutable_link()->mutable_change_time() = At(-absl::Hours(5));
  auto* type = hub.add_types();
  type->set_type("pods");
  type->set_spoke("edge-meta-svc");
  type->set_synced(true);
  for (const char* frame_class : {"report", "session"}) {
    auto* traffic = hub.add_traffic();
    traffic->set_frame_class(frame_class);
    traffic->set_up_bytes(6 << 20);
    traffic->set_down_bytes(1000);
  }
  hub.mutable_journal()->set_size_bytes_max(64 << 20);
  *hub.mutable_certificate_expire_time() = At(absl::Hours(24 * 100));
  meta::v1::MetaStatus meta;
  meta.set_edgehub_attached(true);
  auto* stored = meta.add_types();
  stored->set_type("pods");
  stored->set_objects(3);
  stored->set_synced_once(true);
  edged::v1::EdgedStatus edged;
  edged.set_runtime_ready(true);
  edged.set_runtime("containerd 1.6.20");
  edged.set_meta_synced(true);
  auto* pod = edged.add_pods();
  pod->set_key("default/web");
  pod->set_phase("Running");
  return {hub, meta, edged};
}

TEST(StatusCommandTest, ShowsAHealthyBox) {
  BoxStatus box = HealthyBox();
  EXPECT_TRUE(IsHealthy(box));
  std::string text = RenderBox(box, kNow, Format::kTable);
  EXPECT_THAT(text, HasSubstr("up for 5h0m, hub:10000"));
  EXPECT_THAT(text, HasSubstr("12 MiB up, 2000 B down\n"));
  EXPECT_THAT(text, HasSubstr("0 unsent, 0 B of 64 MiB"));
  EXPECT_THAT(text, HasSubstr("valid for 100d"));
  EXPECT_THAT(text, HasSubstr("default/web"));
  nlohmann::json json = nlohmann::json::parse(RenderBox(box, kNow, Format::kJson));
  EXPECT_EQ(json["healthy"], true);
  EXPECT_EQ(json["edgehub"]["link"]["connected"], true);
}

TEST(StatusCommandTest, NamesWhatIsWrong) {
  BoxStatus box = HealthyBox();
  box.edgehub->mutable_link()->set_connected(false);
  box.edgehub->mutable_link()->set_reason("connection refused");
  *box.edgehub->mutable_next_dial_time() = At(absl::Seconds(7));
  box.edgehub->mutable_types(0)->set_synced(false);
  box.edgehub->mutable_journal()->set_entries(4);
  *box.edgehub->mutable_journal()->mutable_oldest_time() = At(-absl::Minutes(9));
  box.edgehub->mutable_budget()->set_bytes_per_second(2048);
  box.edgehub->mutable_budget()->set_left_bytes(-500);
  box.edgehub->mutable_budget()->set_awaited(true);
  box.edged = absl::UnavailableError("no socket");
  EXPECT_FALSE(IsHealthy(box));
  std::string text = RenderBox(box, kNow, Format::kTable);
  EXPECT_THAT(text, HasSubstr("DOWN for 5h0m, hub:10000, connection refused, next attempt in 7s"));
  EXPECT_THAT(text, HasSubstr("NOT SYNCED"));
  EXPECT_THAT(text, HasSubstr("limited to 2048 B/s each way, -500 B left, WAITING for it"));
  EXPECT_THAT(text, HasSubstr("4 unsent"));
  EXPECT_THAT(text, HasSubstr("oldest 9m"));
  EXPECT_THAT(text, HasSubstr("not reachable (UNAVAILABLE: no socket)"));
  nlohmann::json json = nlohmann::json::parse(RenderBox(box, kNow, Format::kJson));
  EXPECT_EQ(json["healthy"], false);
  EXPECT_EQ(json["edged"]["error"]["code"], "UNAVAILABLE");
}

TEST(StatusCommandTest, AnAbsentBoxIsAnAnswer) {
  BoxStatus box = AskBox("/nonexistent");
  EXPECT_FALSE(IsHealthy(box));
  EXPECT_THAT(RenderBox(box, kNow, Format::kTable), HasSubstr("edge-meta-svc   not reachable"));
}

TEST(StatusCommandTest, ListsSessions) {
  EXPECT_EQ(RenderSessions({}, kNow, Format::kTable), "No node is connected.\n");
  std::vector<cloudhub::v1::NodeSessionInfo> sessions(1);
  sessions[0].set_node("edge-1");
  sessions[0].set_epoch(7);
  *sessions[0].mutable_connect_time() = At(-absl::Minutes(30));
  *sessions[0].mutable_last_receive_time() = At(-absl::Seconds(3));
  sessions[0].add_subscribed_types("pods");
  sessions[0].add_subscribed_types("secrets");
  std::string text = RenderSessions(sessions, kNow, Format::kTable);
  EXPECT_THAT(text, HasSubstr("edge-1   30m"));
  EXPECT_THAT(text, HasSubstr("pods,secrets"));
  EXPECT_EQ(
      nlohmann::json::parse(RenderSessions(sessions, kNow, Format::kJson))["sessions"][0]["node"],
      "edge-1");
}

}  // namespace
}  // namespace skerry::skerryctl
