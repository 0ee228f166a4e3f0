#include "tools/skerryctl/doctor/core/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "services/lib/base/error.h"
#include "tools/skerryctl/doctor/core/token.h"
#include "tools/skerryctl/doctor/report.h"

namespace skerry::skerryctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

absl::Status Failed(absl::string_view reason) {
  return Error(absl::StatusCode::kUnavailable, "why").Reason(reason);
}

// A box without a fault.
Observations Healthy() {
  Observations seen;
  seen.now = kNow;
  seen.configs = {{.path = "/etc/skerry/edgehub.yaml", .loaded = absl::OkStatus()}};
  seen.identity = IdentityFile{.path = "/etc/skerry/node.pem",
                               .not_before = kNow - absl::Hours(24),
                               .not_after = kNow + absl::Hours(24 * 300),
                               .renewal_time = kNow + absl::Hours(24 * 200)};
  for (const char* setting : {"cloud.address", "cloud.join_address"}) {
    seen.hub.push_back({.setting = setting,
                        .address = "hub:1",
                        .name = "hub",
                        .reached = absl::OkStatus(),
                        .chain = absl::OkStatus()});
  }
  seen.hub_time = kNow + absl::Seconds(3);
  seen.services = {{.name = "edgehub-svc", .answered = absl::OkStatus()},
                   {.name = "twin-svc", .answered = absl::OkStatus()}};
  seen.link = Link{.connected = true, .journal_bytes = 5, .journal_bytes_max = 100};
  seen.meta_attached = true;
  seen.runtime_reached = absl::OkStatus();
  seen.runtime_ready = true;
  seen.broker_accepted = absl::OkStatus();
  seen.disks = {{.folder = "/var/lib/skerry", .free_bytes = 1 << 30, .free_inodes = 100000}};
  return seen;
}

std::vector<std::string> Codes(const Observations& seen) {
  std::vector<std::string> codes;
  for (const Finding& finding : FindingsOf(seen)) {
    codes.emplace_back(finding.diagnosis->code);
    EXPECT_THAT(finding.seen, Not(IsEmpty())) << codes.back();
  }
  return codes;
}

TEST(FindingsTest, AHealthyBoxHasNone) {
  EXPECT_THAT(Codes(Healthy()), IsEmpty());
  for (absl::string_view check : ChecksOf(Healthy())) {
    EXPECT_EQ(WhySkipped(check, Healthy()), "") << check;
  }
}

// One that has not joined yet, and has a good token.
Observations ToJoin() {
  Observations seen;
  seen.now = kNow;
  seen.identity = IdentityFile{.read = absl::NotFoundError("none")};
  seen.token = GivenToken{.id = "abc", .ca_hash = "11", .node = "edge-1"};
  seen.token->ca_served = absl::OkStatus();
  seen.token->served_ca_hash = "11";
  seen.token->asked = absl::OkStatus();
  seen.token->known = TokenRecord{.create_time = kNow - absl::Hours(1),
                                  .expire_time = kNow + absl::Hours(23),
                                  .node = "edge-1",
                                  .single_use = true};
  seen.hub = {{.setting = "--cloud", .address = "hub:1", .name = "hub"}};
  seen.hub[0].reached = absl::OkStatus();
  seen.hub_time = kNow;
  return seen;
}

TEST(TokenFindingsTest, AGoodOneIsEnoughToJoin) {
  EXPECT_THAT(Codes(ToJoin()), IsEmpty());
  for (const char* check : {"clock", "hub", "token", "token-age", "disk"}) {
    EXPECT_EQ(WhySkipped(check, ToJoin()), "") << check;
  }
  EXPECT_EQ(WhySkipped("config", ToJoin()), "this box has not joined");
}

TEST(TokenFindingsTest, NoneIsNotOneToFind) {
  Observations seen = ToJoin();
  seen.token.reset();
  seen.hub.clear();
  EXPECT_THAT(Codes(seen), ElementsAre("NOT_JOINED"));
  EXPECT_THAT(WhySkipped("token", seen), HasSubstr("no token was given"));
  EXPECT_THAT(WhySkipped("hub", seen), HasSubstr("--cloud"));
}

TEST(TokenFindingsTest, MalformedOrAnotherHubs) {
  Observations seen = ToJoin();
  seen.token->known->expire_time = kNow;  // Would be of the other hub.
  seen.token->served_ca_hash = "22";
  EXPECT_THAT(Codes(seen), ElementsAre("CA_HASH_MISMATCH"));
  EXPECT_EQ(WhySkipped("token-age", seen), "it is another hub's");
  seen.token->parsed = absl::InvalidArgumentError("not a join token");
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_MALFORMED"));
  seen.hub.clear();  // Nobody is asked by such a token.
  EXPECT_EQ(WhySkipped("hub", seen), "the token is malformed");
  seen = ToJoin();
  seen.token->ca_served = absl::NotFoundError("HTTP 404");
  EXPECT_THAT(Codes(seen), ElementsAre("CA_UNAVAILABLE"));
}

TEST(TokenFindingsTest, WhatTheHubWouldRefuse) {
  Observations seen = ToJoin();
  seen.token->known->uses = 1;
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_USED"));
  seen.token->known->single_use = false;
  EXPECT_THAT(Codes(seen), IsEmpty());
  seen.token->node = "edge-2";
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_WRONG_NODE"));
  seen.token->known->expire_time = kNow;
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_EXPIRED"));
  seen.token->known->revoked = true;
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_REVOKED"));
  seen.token->known.reset();
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_UNKNOWN"));
}

TEST(TokenFindingsTest, SoonIsAnHourOrAQuarterOfItsLife) {
  Observations seen = ToJoin();
  TokenRecord& known = *seen.token->known;
  known.expire_time = kNow + kTokenSoon;
  known.create_time = kNow - absl::Hours(9);
  EXPECT_THAT(Codes(seen), IsEmpty());
  known.expire_time -= absl::Seconds(1);
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_EXPIRING"));
  EXPECT_TRUE(IsHealthy(FindingsOf(seen)));
  known.create_time = kNow - absl::Seconds(1);
  EXPECT_THAT(Codes(seen), IsEmpty()) << "a token for an hour, just made";
}

TEST(TokenFindingsTest, TimesGoByTheHubsClock) {
  Observations seen = ToJoin();
  seen.hub_time = kNow + absl::Hours(24);
  EXPECT_THAT(Codes(seen), ElementsAre("CLOCK_SKEW", "TOKEN_EXPIRED"));
}

TEST(TokenFindingsTest, AHubThatDoesNotSay) {
  Observations seen = ToJoin();
  seen.token->asked = Failed("UNAVAILABLE");
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_API_FAILED"));
  seen.hub[0].reached = Failed("CONNECT_FAILED");  // Explains it.
  seen.token->ca_served.reset();
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_UNREACHABLE"));
  EXPECT_EQ(WhySkipped("token", seen), "the hub's CA could not be fetched");
  EXPECT_EQ(WhySkipped("token-age", seen), "the hub did not say");
  seen.token->asked.reset();
  EXPECT_EQ(WhySkipped("token-age", seen), "the hub could not be asked");
  seen.hub.clear();
  EXPECT_THAT(WhySkipped("token-age", seen), HasSubstr("--cloud"));
}

// What the join port says of the token instead of a record.
Observations AskedAtJoinPort(absl::string_view reason) {
  Observations seen = ToJoin();
  seen.token->asked_at_join_port = true;
  seen.token->known.reset();
  seen.token->asked = Failed(reason);
  return seen;
}

TEST(TokenFindingsTest, WhatTheJoinPortRefuses) {
  for (const char* reason :
       {"TOKEN_UNKNOWN", "TOKEN_REVOKED", "TOKEN_EXPIRED", "TOKEN_USED", "RATE_LIMITED"}) {
    EXPECT_THAT(Codes(AskedAtJoinPort(reason)), ElementsAre(reason));
  }
  Observations seen = ToJoin();
  seen.token->asked_at_join_port = true;
  EXPECT_THAT(Codes(seen), IsEmpty());
  seen.token->node = "edge-2";
  EXPECT_THAT(Codes(seen), ElementsAre("TOKEN_WRONG_NODE"));
}

TEST(TokenFindingsTest, AJoinPortThatDoesNotSay) {
  for (const char* reason : {"TIMED_OUT", "TLS_UNTRUSTED", "INTERNAL", "HUB_ANSWER_INVALID", ""}) {
    Observations seen = AskedAtJoinPort(reason);
    EXPECT_THAT(Codes(seen), ElementsAre("JOIN_PORT_FAILED"));
    seen.now = kNow + absl::Hours(24 * 4000);  // Explains it.
    EXPECT_THAT(Codes(seen), ElementsAre("CLOCK_SKEW"));
    EXPECT_EQ(WhySkipped("token-age", seen), "the hub did not say");
    seen = AskedAtJoinPort(reason);
    seen.hub[0].name_fits = false;  // So does this.
    EXPECT_THAT(Codes(seen), ElementsAre("HUB_NAME_MISMATCH"));
  }
  const Observations older = AskedAtJoinPort("NOT_FOUND");
  EXPECT_THAT(Codes(older), IsEmpty());
  EXPECT_THAT(WhySkipped("token-age", older), HasSubstr("this hub is older"));
}

TEST(TokenFindingsTest, IsOfNoInterestToABoxThatHasJoined) {
  Observations seen = Healthy();
  seen.token = ToJoin().token;
  seen.token->known.reset();
  EXPECT_THAT(Codes(seen), IsEmpty());
  EXPECT_THAT(ChecksOf(seen), Not(testing::Contains("token")));
  seen.identity->not_after = kNow;  // It has to join again.
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_EXPIRED", "TOKEN_UNKNOWN"));
  EXPECT_THAT(ChecksOf(seen), testing::Contains("token"));
}

TEST(FindingsTest, CertificatesGoByTheHubsClock) {
  Observations seen = Healthy();
  seen.now = kNow + absl::Hours(24 * 4000);
  EXPECT_THAT(Codes(seen), ElementsAre("CLOCK_SKEW"));
  seen.hub_time.reset();  // Then there is only ours.
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_EXPIRED"));
  seen.now = kNow - absl::Hours(24 * 4000);
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_NOT_YET_VALID"));
}

TEST(FindingsTest, ASmallSkewIsNone) {
  Observations seen = Healthy();
  seen.now = *seen.hub_time + kDoctorSkewMax;
  EXPECT_THAT(Codes(seen), IsEmpty());
  seen.now += absl::Milliseconds(1);
  EXPECT_THAT(Codes(seen), ElementsAre("CLOCK_SKEW"));
  seen.now = *seen.hub_time - kDoctorSkewMax - absl::Milliseconds(1);
  EXPECT_THAT(Codes(seen), ElementsAre("CLOCK_SKEW"));
}

TEST(FindingsTest, TheCertificate) {
  Observations seen = Healthy();
  seen.identity->renewal_time = kNow - absl::Hours(24 * 400);
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_NOT_RENEWED"));
  seen = Healthy();
  seen.identity->chain = Failed("CERTIFICATE_NOT_YET_VALID");  // The CA is younger.
  EXPECT_THAT(Codes(seen), IsEmpty());
  seen.identity->chain = Failed("CERTIFICATE_UNTRUSTED");
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_UNTRUSTED"));
  seen.identity->parsed = absl::InvalidArgumentError("no certificate");
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_INVALID"));
  seen.identity->read = absl::PermissionDeniedError("no");
  EXPECT_THAT(Codes(seen), ElementsAre("CERTIFICATE_UNREADABLE"));
  seen.identity->read = absl::NotFoundError("none");
  EXPECT_THAT(Codes(seen), ElementsAre("NOT_JOINED"));
  EXPECT_EQ(WhySkipped("certificate", seen), "this box has not joined");
  EXPECT_EQ(WhySkipped("config", seen), "");
  seen = Healthy();
  seen.identity->readable_by_all = true;
  EXPECT_THAT(Codes(seen), ElementsAre("KEY_EXPOSED"));
}

TEST(FindingsTest, OnePortOrBoth) {
  Observations seen = Healthy();
  seen.link->connected = false;  // Follows from each of these.
  seen.hub[0].reached = Failed("TIMED_OUT");
  EXPECT_THAT(Codes(seen), ElementsAre("LINK_PORT_UNREACHABLE"));
  seen.hub[1].reached = Failed("CONNECT_FAILED");
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_UNREACHABLE"));
  seen.hub[0].reached = absl::OkStatus();
  EXPECT_THAT(Codes(seen), ElementsAre("JOIN_PORT_UNREACHABLE"));
  seen.hub[0].reached = seen.hub[1].reached = Failed("RESOLVE_FAILED");
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_NAME_UNRESOLVED"));
  seen.hub[0].reached = Failed("TLS_FAILED");
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_TLS_FAILED", "HUB_NAME_UNRESOLVED"));
}

TEST(FindingsTest, TheHubsCertificate) {
  Observations seen = Healthy();
  for (HubPort& port : seen.hub) port.name_fits = false;
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_NAME_MISMATCH"));
  for (HubPort& port : seen.hub) port.chain = Failed("CERTIFICATE_EXPIRED");
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_CERTIFICATE_EXPIRED"));
  for (HubPort& port : seen.hub) port.chain = Failed("CERTIFICATE_UNTRUSTED");
  EXPECT_THAT(Codes(seen), ElementsAre("HUB_UNTRUSTED"));
}

TEST(FindingsTest, WhatRunsHere) {
  Observations seen = Healthy();
  seen.link->unsynced_types = {"pods"};
  EXPECT_THAT(Codes(seen), ElementsAre("NOT_SYNCED"));
  seen.services[1].answered = Failed("CONNECT_FAILED");  // Explains it.
  EXPECT_THAT(Codes(seen), ElementsAre("SERVICE_DOWN"));
  seen.services[1].used = false;
  seen.link->unsynced_types.clear();
  EXPECT_THAT(Codes(seen), IsEmpty());
  seen.link->connected = false;
  EXPECT_THAT(Codes(seen), ElementsAre("LINK_DOWN"));
  seen = Healthy();
  seen.meta_attached = false;
  EXPECT_THAT(Codes(seen), ElementsAre("META_DETACHED"));
  seen = Healthy();
  seen.link->journal_bytes = 90;
  EXPECT_THAT(Codes(seen), ElementsAre("JOURNAL_FILLING"));
  seen = Healthy();
  seen.configs.push_back({.path = "x", .loaded = absl::InvalidArgumentError("x:1: no")});
  EXPECT_THAT(Codes(seen), ElementsAre("CONFIG_INVALID"));
}

TEST(FindingsTest, WhatItDependsOn) {
  Observations seen = Healthy();
  seen.runtime_ready = false;
  EXPECT_THAT(Codes(seen), ElementsAre("RUNTIME_NOT_READY"));
  seen.runtime_reached = Failed("CONNECT_FAILED");
  EXPECT_THAT(Codes(seen), ElementsAre("RUNTIME_UNREACHABLE"));
  seen = Healthy();
  seen.broker_accepted = absl::UnauthenticatedError("no");
  EXPECT_THAT(Codes(seen), ElementsAre("BROKER_REFUSED"));
  seen.broker_accepted = absl::UnavailableError("no");
  EXPECT_THAT(Codes(seen), ElementsAre("BROKER_UNREACHABLE"));
  seen = Healthy();
  seen.broker_accepted.reset();
  EXPECT_THAT(Codes(seen), IsEmpty());
  EXPECT_EQ(WhySkipped("broker", seen), "eventbus-svc has never run here");
}

TEST(FindingsTest, Disks) {
  Observations seen = Healthy();
  Disk& disk = seen.disks[0];
  disk.free_bytes = kDiskLowBytes - 1;
  EXPECT_THAT(Codes(seen), ElementsAre("DISK_LOW"));
  disk.free_bytes = kDiskFullBytes - 1;
  disk.free_inodes = 1;
  EXPECT_THAT(Codes(seen), ElementsAre("DISK_FULL", "INODES_FULL"));
  disk.read_only = true;
  EXPECT_THAT(Codes(seen), ElementsAre("DISK_READ_ONLY"));
  disk.seen = absl::NotFoundError("no");
  EXPECT_THAT(Codes(seen), ElementsAre("FOLDER_MISSING"));
}

TEST(DiagnosesTest, EachIsInTheReadmeWithACheckACauseAndAFix) {
  std::ifstream file("tools/skerryctl/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  std::set<absl::string_view> codes;
  for (const Diagnosis& diagnosis : Diagnoses()) {
    EXPECT_TRUE(codes.insert(diagnosis.code).second) << diagnosis.code;
    EXPECT_THAT(Checks(), testing::Contains(diagnosis.check)) << diagnosis.code;
    EXPECT_FALSE(diagnosis.cause.empty() || diagnosis.fix.empty()) << diagnosis.code;
    EXPECT_THAT(readme, HasSubstr("| `" + std::string(diagnosis.code) + "` |"));
  }
}

TEST(ReportTest, WarningsLeaveABoxHealthy) {
  Observations seen = Healthy();
  seen.disks[0].free_bytes = kDiskLowBytes - 1;
  EXPECT_TRUE(IsHealthy(FindingsOf(seen)));
  seen.broker_accepted = absl::UnavailableError("a\x1b[2J broker");
  const std::vector<Finding> findings = FindingsOf(seen);
  EXPECT_FALSE(IsHealthy(findings));
  const std::string text = RenderFindings(seen, findings, Format::kTable);
  EXPECT_THAT(text, HasSubstr("warning [DISK_LOW]"));
  EXPECT_THAT(text, HasSubstr("error [BROKER_UNREACHABLE]"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  const nlohmann::json json = nlohmann::json::parse(RenderFindings(seen, findings, Format::kJson));
  EXPECT_EQ(json["healthy"], false);
  EXPECT_EQ(json["findings"][0]["code"], "BROKER_UNREACHABLE");
  EXPECT_EQ(json["findings"][1]["severity"], "warning");
  EXPECT_EQ(json["checks"].back()["result"], "warning");
}

}  // namespace
}  // namespace skerry::skerryctl
