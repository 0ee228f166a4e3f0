#include "services/cloudhub-svc/join/hub_pki.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/files.h"
#include "services/lib/security/renewal_loop.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::HasReason;
using testing::IsOk;
using ::testing::Pair;
using testing::ReadFileText;

class HubPkiTest : public ::testing::Test {
 protected:
  std::unique_ptr<HubPki> Open(std::vector<std::string> sans = {}) {
    auto pki = HubPki::Open({.state_dir = dir_.File("state"), .sans = std::move(sans)}, clock_,
                            log::Logger::Null());
    EXPECT_THAT(pki, IsOk());
    return *std::move(pki);
  }
  std::string File(const std::string& name) { return dir_.File("state/" + name); }
  security::CertificateInfo InfoOf(const std::string& name) {
    return *security::ParseCertificatePem(ReadFileText(File(name)));
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
};

TEST_F(HubPkiTest, MakesAllThatIsNeededAtTheFirstStart) {
  auto pki = Open({"hub.example", "10.1.2.3", "2001:db8:0::1"});
  EXPECT_THAT(security::CheckTlsFiles(pki->server_files()), IsOk());
  security::CertificateInfo server = InfoOf("server/tls.crt");
  EXPECT_THAT(server.dns_names, Contains("hub.example"));
  EXPECT_THAT(server.dns_names, Contains("localhost"));
  EXPECT_THAT(server.ip_addresses, Contains("10.1.2.3"));
  EXPECT_THAT(server.ip_addresses, Contains("127.0.0.1"));
  EXPECT_THAT(server.ip_addresses, Contains("2001:db8::1"));
  security::CertificateInfo controller = InfoOf("clients/edge-controller.crt");
  EXPECT_EQ(controller.common_name, "system:edge-controller");
  EXPECT_THAT(controller.organizations, ElementsAre("skerry:controllers"));
  EXPECT_THAT(controller.dns_names, Contains("hub.example"));  // For its kubelet endpoint.
  EXPECT_EQ(InfoOf("clients/device-controller.crt").common_name, "system:device-controller");
  EXPECT_EQ(InfoOf("clients/router.crt").common_name, "system:router");
  security::CertificateInfo op = InfoOf("clients/operator.crt");
  EXPECT_THAT(op.organizations, ElementsAre("skerry:operators"));
  EXPECT_EQ(ReadFileText(File("clients/ca.crt")), pki->ca().certificate_pem());
  for (const char* key :
       {"ca/ca.key", "server/tls.key", "clients/operator.key", "clients/edge-controller.key"}) {
    struct stat info;
    ASSERT_EQ(stat(File(key).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << key;
  }
}

TEST_F(HubPkiTest, ARestartChangesNothing) {
  Open({"hub.example"});
  struct stat before {};
  ASSERT_EQ(stat(File("clients").c_str(), &before), 0);
  std::string server = ReadFileText(File("server/tls.crt"));
  std::string client = ReadFileText(File("clients/operator.crt"));
  auto pki = Open({"hub.example"});
  EXPECT_THAT(pki->Renew(), IsOk());
  EXPECT_EQ(ReadFileText(File("server/tls.crt")), server);
  EXPECT_EQ(ReadFileText(File("clients/operator.crt")), client);
  struct stat after {};
  ASSERT_EQ(stat(File("clients").c_str(), &after), 0);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec) << "a full disk must not matter";
}

// A hub that is newer than its folder has clients that it never wrote.
TEST_F(HubPkiTest, WritesWhatIsNewAndNotWhatWasMovedAway) {
  Open();
  unlink(File("clients/written").c_str());  // Older hubs kept none.
  for (const char* stem : {"clients/router", "clients/edge-controller", "clients/operator"}) {
    unlink(File(absl::StrCat(stem, ".crt")).c_str());
    unlink(File(absl::StrCat(stem, ".key")).c_str());
  }
  const std::string devices = InfoOf("clients/device-controller.crt").serial;
  Open();
  EXPECT_EQ(InfoOf("clients/router.crt").common_name, "system:router");
  EXPECT_EQ(InfoOf("clients/device-controller.crt").serial, devices);
  EXPECT_NE(access(File("clients/edge-controller.crt").c_str(), F_OK), 0);
  EXPECT_NE(access(File("clients/operator.key").c_str(), F_OK), 0);
  unlink(File("clients/router.crt").c_str());
  unlink(File("clients/router.key").c_str());
  Open();
  EXPECT_NE(access(File("clients/router.crt").c_str(), F_OK), 0) << "it was moved away";
}

TEST_F(HubPkiTest, ChangedNamesMakeANewServerCertificateWithTheSameKey) {
  Open({"hub.example"});
  std::string key = ReadFileText(File("server/tls.key"));
  auto pki = Open({"other.example"});
  EXPECT_THAT(InfoOf("server/tls.crt").dns_names, Contains("other.example"));
  EXPECT_THAT(InfoOf("server/tls.crt").dns_names, ::testing::Not(Contains("hub.example")));
  EXPECT_EQ(ReadFileText(File("server/tls.key")), key);
}

TEST_F(HubPkiTest, RenewsAtTwoThirdsOfLife) {
  auto pki = Open();
  std::string server = InfoOf("server/tls.crt").serial;
  std::string client = InfoOf("clients/operator.crt").serial;
  clock_.Advance(absl::Hours(24 * 242));
  EXPECT_THAT(pki->Renew(), IsOk());
  EXPECT_EQ(InfoOf("server/tls.crt").serial, server);
  clock_.Advance(absl::Hours(48));
  EXPECT_THAT(pki->Renew(), IsOk());
  EXPECT_NE(InfoOf("server/tls.crt").serial, server);
  EXPECT_NE(InfoOf("clients/operator.crt").serial, client);
  EXPECT_THAT(security::CheckTlsFiles(pki->server_files()), IsOk());
}

TEST_F(HubPkiTest, RenewsWhileTheHubRuns) {
  auto pki = Open();
  metrics::Registry registry("cloudhub-svc");
  auto first = pki->Renew();
  ASSERT_THAT(first, IsOk());
  security::RenewalLoop loop(
      *first, [&pki] { return pki->Renew(); }, clock_, registry, log::Logger::Null());
  for (int year = 0; year < 3; ++year) {
    std::string server = InfoOf("server/tls.crt").serial;
    std::string client = InfoOf("clients/edge-controller.crt").serial;
    for (int week = 0; week < 52; ++week) {
      clock_.Advance(absl::Hours(24 * 7));
      loop.Settle();
      ASSERT_GT(InfoOf("server/tls.crt").not_after, clock_.Now());
    }
    EXPECT_NE(InfoOf("server/tls.crt").serial, server);
    EXPECT_NE(InfoOf("clients/edge-controller.crt").serial, client);
  }
}

TEST_F(HubPkiTest, SaysWhenTheCaEndsWhichNothingRenews) {
  auto pki = Open();
  const absl::Time end = InfoOf("ca/ca.crt").not_after;
  EXPECT_THAT(pki->Renew()->expire_times, Contains(Pair("ca", end)));
  clock_.Advance(absl::Hours(24 * 3600));
  const security::RenewalReport report = *pki->Renew();
  EXPECT_THAT(report.expire_times, Contains(Pair("ca", end)));
  EXPECT_THAT(report.expire_times, Contains(Pair("server", end))) << "cut at the end of the CA";
  EXPECT_EQ(InfoOf("ca/ca.crt").not_after, end);
}

TEST_F(HubPkiTest, DamagedFilesAreMadeAnew) {
  Open();
  ASSERT_THAT(security::WriteFileAtomically(File("server/tls.crt"), "garbage", 0644), IsOk());
  auto pki = Open();
  EXPECT_THAT(security::CheckTlsFiles(pki->server_files()), IsOk());
  ASSERT_THAT(security::WriteFileAtomically(File("server/tls.key"), "", 0600), IsOk());
  pki = Open();
  EXPECT_THAT(security::CheckTlsFiles(pki->server_files()), IsOk());
}

TEST_F(HubPkiTest, ClientsThatWereMovedAwayAreNotWrittenAgain) {
  Open();
  unlink(File("clients/operator.key").c_str());
  unlink(File("clients/operator.crt").c_str());
  Open();
  EXPECT_NE(access(File("clients/operator.key").c_str(), F_OK), 0);
  EXPECT_NE(access(File("clients/operator.crt").c_str(), F_OK), 0);
}

TEST_F(HubPkiTest, ClientsOfAnotherSourceAreNeitherWrittenNorRenewedNorReported) {
  Open();
  const std::string before = ReadFileText(File("clients/router.crt"));
  HubPkiOptions options{.state_dir = dir_.File("state"), .write_clients = false};
  auto pki = *HubPki::Open(options, clock_, log::Logger::Null());
  clock_.Advance(absl::Hours(24 * 300));
  const security::RenewalReport report = *pki->Renew();
  EXPECT_THAT(report.expire_times,
              ElementsAre(Pair("ca", ::testing::_), Pair("server", ::testing::_)));
  EXPECT_EQ(report.renewed, 1);
  EXPECT_EQ(ReadFileText(File("clients/router.crt")), before);
  options.state_dir = dir_.File("other");
  ASSERT_THAT(HubPki::Open(options, clock_, log::Logger::Null()), IsOk());
  EXPECT_NE(access(dir_.File("other/clients").c_str(), F_OK), 0);
}

TEST_F(HubPkiTest, AStartThatBrokeOffIsCompleted) {
  Open();
  unlink(File("clients/ca.crt").c_str());  // Written last.
  unlink(File("clients/operator.crt").c_str());
  Open();
  EXPECT_EQ(InfoOf("clients/operator.crt").common_name, "skerry:operator");
}

TEST_F(HubPkiTest, ALostCaKeyIsAnError) {
  Open();
  unlink(File("ca/ca.key").c_str());
  auto pki = HubPki::Open({.state_dir = dir_.File("state")}, clock_, log::Logger::Null());
  EXPECT_THAT(pki.status(), HasReason("CA_INCOMPLETE"));
}

}  // namespace
}  // namespace skerry::cloudhub
