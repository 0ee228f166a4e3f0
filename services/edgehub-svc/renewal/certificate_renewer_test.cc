#include "services/edgehub-svc/renewal/certificate_renewer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadFileText;

constexpr absl::Duration kDay = absl::Hours(24);

// A hub that signs, unless told otherwise.
class FakeHub final : public RenewalClient {
 public:
  explicit FakeHub(Clock& clock)
      : ca(*security::CertificateAuthority::Create("ca", clock.Now())), clock_(clock) {}

  absl::StatusOr<std::string> Renew(const NodeIdentity& present,
                                    absl::string_view csr_pem) override {
    proofs.push_back(present.certificate.serial);
    if (!refusal.ok()) return refusal;
    if (!answer.empty()) return answer;
    return ca->SignCsr(csr_pem,
                       {.subject = {.common_name = common_name, .organizations = {"system:nodes"}},
                        .now = clock_.Now(),
                        .for_client = true});
  }
  void Cancel() override { refusal = absl::CancelledError("stopping"); }

  std::unique_ptr<security::CertificateAuthority> ca;
  std::string common_name = "system:node:edge-1";
  std::string answer;
  absl::Status refusal;
  std::vector<std::string> proofs;  // Serials of the certificates that were shown.

 private:
  Clock& clock_;
};

class CertificateRenewerTest : public ::testing::Test {
 protected:
  CertificateRenewerTest() {
    dir_.Write("ca.crt", hub_.ca->certificate_pem());
    WriteIdentity();
    Start();
  }

  void WriteIdentity() {
    const security::CertificateAndKey issued = *hub_.ca->Issue(
        {.subject = {.common_name = "system:node:edge-1", .organizations = {"system:nodes"}},
         .now = clock_.Now(),
         .for_client = true});
    dir_.Write("node.pem", issued.certificate_pem + issued.key_pem);
  }
  // A new process of the same box.
  void Start() {
    renewer_ = std::make_unique<CertificateRenewer>(
        CertificateRenewer::Config{
            .identity_file = dir_.File("node.pem"), .ca_file = dir_.File("ca.crt"), .seed = 7},
        hub_, clock_, metrics_, log::Logger::Null());
    renewer_->Start();
    renewer_->Settle();
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    renewer_->Settle();
  }
  NodeIdentity Identity() {
    auto identity = ReadNodeIdentity(dir_.File("node.pem"));
    EXPECT_THAT(identity, IsOk());
    return *identity;
  }
  std::string Attempts(const std::string& result, int count) {
    return absl::StrCat("skerry_edgehub_certificate_renewals_total{result=\"", result, "\"} ",
                        count);
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
  FakeHub hub_{clock_};
  metrics::Registry registry_{"edgehub-svc"};
  EdgeHubMetrics metrics_{registry_};
  std::unique_ptr<CertificateRenewer> renewer_;
};

TEST_F(CertificateRenewerTest, AsksAtTwoThirdsOfLifeWithANewKey) {
  const NodeIdentity old = Identity();
  Advance(243 * kDay);
  EXPECT_TRUE(hub_.proofs.empty());
  Advance(19 * kDay);
  ASSERT_EQ(hub_.proofs.size(), 1u);
  EXPECT_EQ(hub_.proofs[0], old.certificate.serial);
  const NodeIdentity renewed = Identity();
  EXPECT_NE(renewed.certificate.serial, old.certificate.serial);
  EXPECT_NE(renewed.certificate.key_sha256_hex, old.certificate.key_sha256_hex);
  struct stat info = {};
  ASSERT_EQ(stat(dir_.File("node.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(registry_.Render(), HasSubstr(Attempts("renewed", 1)));
}

TEST_F(CertificateRenewerTest, GoesOnForEverAndProvesTheLastOneEachTime) {
  for (int day = 0; day < 3 * 365; ++day) {
    Advance(kDay);
    ASSERT_GT(Identity().certificate.not_after, clock_.Now());
  }
  EXPECT_EQ(hub_.proofs.size(), 4u);
  for (size_t i = 1; i < hub_.proofs.size(); ++i) EXPECT_NE(hub_.proofs[i], hub_.proofs[i - 1]);
}

TEST_F(CertificateRenewerTest, TriesUntilTheHubIsThere) {
  const NodeIdentity old = Identity();
  hub_.refusal = absl::UnavailableError("no route");
  Advance(262 * kDay);
  EXPECT_EQ(hub_.proofs.size(), 1u);
  Advance(absl::Seconds(10));
  EXPECT_EQ(hub_.proofs.size(), 2u);
  for (int i = 0; i < 24; ++i) Advance(absl::Hours(1));
  EXPECT_GE(hub_.proofs.size(), 26u);
  EXPECT_LE(hub_.proofs.size(), 60u);
  EXPECT_EQ(Identity().certificate.serial, old.certificate.serial);
  hub_.refusal = absl::OkStatus();
  Advance(absl::Hours(1));
  EXPECT_NE(Identity().certificate.serial, old.certificate.serial);
}

TEST_F(CertificateRenewerTest, AsksAlsoWhenItsCertificateHasEnded) {
  renewer_.reset();
  hub_.refusal = absl::OkStatus();
  clock_.Advance(380 * kDay);
  const NodeIdentity old = Identity();
  Start();
  EXPECT_EQ(hub_.proofs.size(), 1u);
  EXPECT_NE(Identity().certificate.serial, old.certificate.serial);
}

TEST_F(CertificateRenewerTest, ARefusalIsAskedAboutOnceAnHour) {
  hub_.refusal = Error(absl::StatusCode::kPermissionDenied, "no")
                     .Reason("NODE_DISABLED")
                     .Meta("fix", "ask the operator");
  Advance(262 * kDay);
  EXPECT_EQ(hub_.proofs.size(), 1u);
  Advance(absl::Minutes(29));
  EXPECT_EQ(hub_.proofs.size(), 1u);
  Advance(absl::Minutes(31));
  EXPECT_EQ(hub_.proofs.size(), 2u);
  EXPECT_THAT(registry_.Render(), HasSubstr(Attempts("refused", 2)));
}

TEST_F(CertificateRenewerTest, DoesNotTakeWhateverAHubAnswers) {
  const std::string before = ReadFileText(dir_.File("node.pem"));
  hub_.answer = "nonsense";
  Advance(262 * kDay);
  hub_.answer = before;  // A good certificate, of another key.
  Advance(absl::Hours(1));
  hub_.answer.clear();
  hub_.common_name = "system:node:edge-2";
  Advance(absl::Hours(1));
  hub_.common_name = "system:node:edge-1";
  hub_.ca = *security::CertificateAuthority::Create("ca", clock_.Now());
  Advance(absl::Hours(1));
  EXPECT_EQ(hub_.proofs.size(), 4u);
  EXPECT_EQ(ReadFileText(dir_.File("node.pem")), before);
  EXPECT_THAT(registry_.Render(), HasSubstr(Attempts("failed", 4)));
}

TEST_F(CertificateRenewerTest, FollowsAFileThatOthersReplaced) {
  Advance(200 * kDay);
  WriteIdentity();  // As skerryctl join does.
  Advance(200 * kDay);
  EXPECT_TRUE(hub_.proofs.empty());
  dir_.Write("node.pem", "garbage");
  Advance(60 * kDay);
  EXPECT_TRUE(hub_.proofs.empty());
  WriteIdentity();
  Advance(absl::Minutes(1));
  EXPECT_TRUE(hub_.proofs.empty());
  Advance(262 * kDay);
  EXPECT_EQ(hub_.proofs.size(), 1u);
}

TEST_F(CertificateRenewerTest, AClockThatIsFarOffDoesNotMakeItAskAllTheTime) {
  class Lagging final : public RenewalClient {
   public:
    Lagging(FakeHub& hub, absl::Time now) : hub_(hub), now_(now) {}
    absl::StatusOr<std::string> Renew(const NodeIdentity&, absl::string_view csr_pem) override {
      ++asked;
      return hub_.ca->SignCsr(
          csr_pem,
          {.subject = {.common_name = "system:node:edge-1"}, .now = now_, .for_client = true});
    }
    void Cancel() override {}
    int asked = 0;

   private:
    FakeHub& hub_;
    const absl::Time now_;
  } lagging(hub_, clock_.Now());
  renewer_->Stop();
  clock_.Advance(300 * kDay);  // What the hub signs now is past two thirds of its life here.
  CertificateRenewer renewer(
      {.identity_file = dir_.File("node.pem"), .ca_file = dir_.File("ca.crt"), .seed = 7}, lagging,
      clock_, metrics_, log::Logger::Null());
  renewer.Start();
  for (int minute = 0; minute < 60; ++minute) {
    renewer.Settle();
    clock_.Advance(absl::Minutes(1));
  }
  EXPECT_LE(lagging.asked, 3);
}

}  // namespace
}  // namespace skerry::edgehub
