#include "services/lib/security/renewal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::security {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadFileText;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
constexpr absl::Duration kLife = absl::Hours(24 * 300);

class RenewalTest : public ::testing::Test {
 protected:
  CertificateSpec Spec(absl::Time now) {
    return {.subject = {.common_name = "server"},
            .dns_names = {"a.example"},
            .now = now,
            .lifetime = kLife,
            .for_server = true};
  }
  KeptCertificate Keep(const CertificateSpec& spec) {
    absl::StatusOr<KeptCertificate> kept =
        KeepCertificate(*ca_, dir_.File("tls.crt"), dir_.File("tls.key"), spec);
    EXPECT_THAT(kept, IsOk());
    return *kept;
  }
  std::string WhyAt(absl::Time now) {
    return WhyRenew(ReadFileText(dir_.File("tls.crt")), ReadFileText(dir_.File("tls.key")),
                    ca_->certificate_pem(), Spec(now));
  }

  testing::TempDir dir_;
  std::unique_ptr<CertificateAuthority> ca_ = *CertificateAuthority::Create("ca", kNow);
};

TEST_F(RenewalTest, IsDueAtTwoThirdsOfLife) {
  const KeptCertificate kept = Keep(Spec(kNow));
  EXPECT_EQ(kept.why, "missing or not readable");
  const absl::Time due = RenewalTime(kept.info);
  EXPECT_EQ(due, kept.info.not_before + (kept.info.not_after - kept.info.not_before) * 2 / 3);
  EXPECT_EQ(WhyAt(due - absl::Seconds(1)), "");
  EXPECT_THAT(WhyAt(due), HasSubstr("two thirds"));
  EXPECT_THAT(WhyAt(kNow + kLife + absl::Seconds(1)), HasSubstr("expired"));
}

TEST_F(RenewalTest, AShortLifeIsNotOverAtItsStart) {
  for (absl::Duration life : {absl::Seconds(10), absl::Minutes(5), absl::Hours(2)}) {
    CertificateSpec spec = Spec(kNow);
    spec.lifetime = life;
    const CertificateInfo info = *ParseCertificatePem(ca_->Issue(spec)->certificate_pem);
    EXPECT_GT(RenewalTime(info), kNow + life / 2) << life;
  }
}

TEST_F(RenewalTest, LeavesAGoodOneAlone) {
  Keep(Spec(kNow));
  const std::string certificate = ReadFileText(dir_.File("tls.crt"));
  EXPECT_EQ(Keep(Spec(kNow + kLife / 2)).why, "");
  EXPECT_EQ(ReadFileText(dir_.File("tls.crt")), certificate);
}

TEST_F(RenewalTest, ReplacesTheCertificateAndKeepsTheKey) {
  Keep(Spec(kNow));
  const std::string key = ReadFileText(dir_.File("tls.key"));
  const KeptCertificate renewed = Keep(Spec(kNow + kLife * 3 / 4));
  EXPECT_THAT(renewed.why, HasSubstr("two thirds"));
  EXPECT_EQ(renewed.info.not_after, kNow + kLife * 3 / 4 + kLife);
  EXPECT_EQ(ReadFileText(dir_.File("tls.key")), key);
  EXPECT_EQ(WhyAt(kNow + kLife), "");
}

TEST_F(RenewalTest, OtherNamesAndAnotherCaAreReasons) {
  Keep(Spec(kNow));
  CertificateSpec spec = Spec(kNow);
  spec.dns_names = {"b.example"};
  EXPECT_EQ(Keep(spec).why, "names have changed");
  ca_ = *CertificateAuthority::Create("ca", kNow);
  EXPECT_NE(Keep(spec).why, "");
  EXPECT_EQ(Keep(spec).why, "");
}

TEST_F(RenewalTest, AKeyThatIsOfNoUseIsMadeAnew) {
  Keep(Spec(kNow));
  dir_.Write("tls.key", "garbage");
  EXPECT_NE(Keep(Spec(kNow)).why, "");
  EXPECT_EQ(WhyAt(kNow), "");
}

TEST_F(RenewalTest, AReportTellsTheFirstThatIsDue) {
  RenewalReport report;
  const KeptCertificate server = Keep(Spec(kNow));
  CertificateSpec spec = Spec(kNow);
  spec.lifetime = absl::Hours(1);
  KeptCertificate client = {.info = *ParseCertificatePem(ca_->Issue(spec)->certificate_pem)};
  report.Add("server", server);
  report.Add("client", client);
  EXPECT_EQ(report.next_time, RenewalTime(client.info));
  EXPECT_EQ(report.expire_times["server"], kNow + kLife);
  EXPECT_EQ(report.renewed, 1);
}

}  // namespace
}  // namespace skerry::security
