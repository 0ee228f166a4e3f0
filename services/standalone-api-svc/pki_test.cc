#include "services/standalone-api-svc/pki.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/lib/kubeclient/kubeconfig.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::standaloneapi {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::IsOk;
using testing::ReadFileText;

constexpr char kServer[] = "https://127.0.0.1:6443";
constexpr absl::Duration kDay = absl::Hours(24);

class PkiTest : public ::testing::Test {
 protected:
  std::unique_ptr<Pki> Open(std::vector<std::string> sans = {}) {
    auto pki = Pki::Open({.state_dir = dir_.path(),
                          .sans = std::move(sans),
                          .kubeconfig_dir = dir_.File("kubeconfig")},
                         clock_, log::Logger::Null());
    EXPECT_THAT(pki, IsOk());
    return *std::move(pki);
  }
  security::RenewalReport Renew(Pki& pki, const std::string& server = kServer) {
    auto report = pki.Renew(server);
    EXPECT_THAT(report, IsOk());
    return *report;
  }
  std::string KubeconfigFile(const std::string& name) {
    return dir_.File("kubeconfig/" + name + ".kubeconfig");
  }
  security::CertificateInfo Serving() {
    return *security::ParseCertificatePem(ReadFileText(dir_.File("pki/apiserver.crt")));
  }
  security::CertificateInfo KubeletClient() {
    return *security::ParseCertificatePem(
        ReadFileText(dir_.File("pki/apiserver-kubelet-client.crt")));
  }
  security::CertificateInfo Client(const std::string& name) {
    return *security::ParseCertificatePem(
        kubeclient::LoadKubeconfig(KubeconfigFile(name))->cert_pem);
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
};

TEST_F(PkiTest, MakesWhatServerAndClientsNeed) {
  auto pki = Open({"api.example", "10.1.2.3"});
  EXPECT_THAT(Serving().dns_names, Contains("api.example"));
  EXPECT_THAT(Serving().ip_addresses, Contains("10.1.2.3"));
  const security::RenewalReport report = Renew(*pki);
  EXPECT_EQ(report.renewed, 5) << "the API's own certificates were there";
  EXPECT_EQ(report.expire_times.size(), 8u);
  EXPECT_EQ(KubeletClient().common_name, "kube-apiserver-kubelet-client");
  EXPECT_THAT(Client("admin").organizations, ElementsAre("system:masters"));
  EXPECT_THAT(Client("edge-controller").organizations, ElementsAre("skerry:controllers"));
  EXPECT_EQ(Client("device-controller").common_name, "system:device-controller");
  EXPECT_EQ(Client("router").common_name, "system:router");
  EXPECT_THAT(Client("cloudhub").organizations, ElementsAre("skerry:hubs"));
  const auto config = kubeclient::LoadKubeconfig(KubeconfigFile("admin"));
  EXPECT_EQ(config->server, kServer);
  EXPECT_EQ(config->ca_pem, pki->ca_pem());
  struct stat info = {};
  ASSERT_EQ(stat(KubeconfigFile("admin").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(PkiTest, ARestartChangesNothing) {
  Renew(*Open());
  const std::string serving = Serving().serial;
  const std::string admin = ReadFileText(KubeconfigFile("admin"));
  EXPECT_EQ(Renew(*Open()).renewed, 0);
  EXPECT_EQ(Serving().serial, serving);
  EXPECT_EQ(ReadFileText(KubeconfigFile("admin")), admin);
}

TEST_F(PkiTest, RenewsAtTwoThirdsOfLife) {
  auto pki = Open();
  const absl::Time due = Renew(*pki).next_time;
  const std::string serving = Serving().serial;
  const std::string kubelet_client = KubeletClient().serial;
  const std::string admin = Client("admin").serial;
  const std::string key = ReadFileText(dir_.File("pki/apiserver.key"));
  clock_.Advance(due - clock_.Now() - absl::Seconds(1));
  EXPECT_EQ(Renew(*pki).renewed, 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Renew(*pki).renewed, 7);
  EXPECT_NE(Serving().serial, serving);
  EXPECT_NE(KubeletClient().serial, kubelet_client);
  EXPECT_NE(Client("admin").serial, admin);
  EXPECT_EQ(ReadFileText(dir_.File("pki/apiserver.key")), key);
  EXPECT_EQ(Serving().not_after, clock_.Now() + 365 * kDay);
}

TEST_F(PkiTest, SaysWhenTheCaEndsWhichNothingRenews) {
  auto pki = Open();
  const absl::Time end =
      security::ParseCertificatePem(ReadFileText(dir_.File("pki/ca.crt")))->not_after;
  EXPECT_EQ(Renew(*pki).expire_times["ca"], end);
  clock_.Advance(3600 * kDay);
  security::RenewalReport report = Renew(*pki);
  EXPECT_EQ(report.expire_times["ca"], end);
  EXPECT_EQ(report.expire_times["apiserver"], end) << "cut at the end of the CA";
}

TEST_F(PkiTest, AKubeconfigIsMadeAnewWhereItIsOfNoUse) {
  auto pki = Open();
  Renew(*pki);
  unlink(KubeconfigFile("admin").c_str());
  EXPECT_EQ(Renew(*pki).renewed, 1);
  dir_.Write("kubeconfig/admin.kubeconfig", "garbage");
  EXPECT_EQ(Renew(*pki).renewed, 1);
  EXPECT_EQ(Renew(*pki, "https://127.0.0.1:7443").renewed, 5);
  EXPECT_EQ(kubeclient::LoadKubeconfig(KubeconfigFile("admin"))->server, "https://127.0.0.1:7443");
}

}  // namespace
}  // namespace skerry::standaloneapi
