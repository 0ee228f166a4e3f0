#include "services/lib/kubeclient/config_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeclient/curl_client.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeclient {
namespace {

using testing::HasReason;
using testing::IsOk;

class ConfigSourceTest : public ::testing::Test {
 protected:
  security::CertificateAndKey Issue(const std::string& name) {
    return *ca_->Issue({.subject = {.common_name = name},
                        .ip_addresses = {"127.0.0.1"},
                        .now = absl::Now(),
                        .for_server = name == "server",
                        .for_client = name != "server"});
  }
  // Replaced as a whole, as whoever renews certificates does it.
  std::string Write(const std::string& name, const std::string& text) {
    EXPECT_THAT(security::WriteFileAtomically(dir_.File(name), text, 0600), IsOk());
    return dir_.File(name);
  }
  std::string Kubeconfig(const std::string& user) {
    return absl::StrCat(
        "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: '",
        server_, "', certificate-authority-data: ", absl::Base64Escape(ca_->certificate_pem()),
        "}}]\nusers: [{name: u, user: ", user, "}]\n");
  }
  std::string Embedded(const std::string& name) {
    const security::CertificateAndKey issued = Issue(name);
    return absl::StrCat("{client-certificate-data: ", absl::Base64Escape(issued.certificate_pem),
                        ", client-key-data: ", absl::Base64Escape(issued.key_pem), "}");
  }
  std::unique_ptr<ConfigSource> Open() {
    absl::StatusOr<std::unique_ptr<ConfigSource>> source =
        ConfigSource::Open(dir_.File("kubeconfig"), log::Logger::Null());
    EXPECT_THAT(source, IsOk());
    return *std::move(source);
  }

  testing::TempDir dir_;
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", absl::Now());
  std::string server_ = "https://127.0.0.1:1";
};

TEST_F(ConfigSourceTest, IsTheSameObjectWhileNothingChanges) {
  Write("kubeconfig", Kubeconfig(Embedded("a")));
  auto source = Open();
  EXPECT_EQ(source->Current(), source->Current());
}

TEST_F(ConfigSourceTest, FollowsWhatIsEmbeddedInTheKubeconfig) {
  Write("kubeconfig", Kubeconfig(Embedded("a")));
  auto source = Open();
  const auto before = source->Current();
  Write("kubeconfig", Kubeconfig(Embedded("b")));
  EXPECT_NE(source->Current()->cert_pem, before->cert_pem);
  Write("kubeconfig", Kubeconfig("{token: second}"));
  EXPECT_EQ(source->Current()->token, "second");
  EXPECT_EQ(source->Current()->cert_pem, "");
}

TEST_F(ConfigSourceTest, FollowsFilesAsAPair) {
  security::CertificateAndKey issued = Issue("a");
  Write("tls.crt", issued.certificate_pem);
  Write("tls.key", issued.key_pem);
  Write("kubeconfig", Kubeconfig("{client-certificate: tls.crt, client-key: tls.key}"));
  auto source = Open();
  EXPECT_EQ(source->Current()->cert_pem, issued.certificate_pem);
  const security::CertificateAndKey next = Issue("a");
  Write("tls.key", next.key_pem);
  EXPECT_EQ(source->Current()->key_pem, issued.key_pem) << "the new certificate is not there yet";
  Write("tls.crt", next.certificate_pem);
  EXPECT_EQ(source->Current()->key_pem, next.key_pem);
  EXPECT_EQ(source->Current()->cert_pem, next.certificate_pem);
}

TEST_F(ConfigSourceTest, FollowsFilesThatANewKubeconfigNames) {
  Write("kubeconfig", Kubeconfig(Embedded("a")));
  auto source = Open();
  security::CertificateAndKey issued = Issue("b");
  Write("tls.crt", issued.certificate_pem);
  Write("tls.key", issued.key_pem);
  Write("kubeconfig", Kubeconfig("{client-certificate: tls.crt, client-key: tls.key}"));
  EXPECT_EQ(source->Current()->cert_pem, issued.certificate_pem);
  issued = Issue("c");
  Write("tls.crt", issued.certificate_pem);
  Write("tls.key", issued.key_pem);
  EXPECT_EQ(source->Current()->cert_pem, issued.certificate_pem);
}

TEST_F(ConfigSourceTest, KeepsWhatWasGoodUntilThereIsBetter) {
  Write("kubeconfig", Kubeconfig(Embedded("a")));
  auto source = Open();
  const auto good = source->Current();
  for (const char* bad : {"", "{", "{current-context: none}"}) {
    Write("kubeconfig", bad);
    EXPECT_EQ(source->Current(), good) << bad;
  }
  server_ = "http://127.0.0.1:1";
  Write("kubeconfig", Kubeconfig("{token: secret}"));
  EXPECT_EQ(source->Current(), good) << "a token in plain text";
  server_ = "https://127.0.0.1:2";
  Write("kubeconfig", Kubeconfig(Embedded("b")));
  EXPECT_EQ(source->Current()->server, "https://127.0.0.1:2");
}

TEST_F(ConfigSourceTest, DoesNotBeginWithWhatIsNoGood) {
  const auto open = [this](const std::string& user) {
    Write("kubeconfig", Kubeconfig(user));
    return ConfigSource::Open(dir_.File("kubeconfig"), log::Logger::Null()).status();
  };
  const std::string certificate = Write("a.crt", Issue("a").certificate_pem);
  const std::string key = Write("b.key", Issue("b").key_pem);
  EXPECT_THAT(open(absl::StrCat("{client-certificate: ", certificate, ", client-key: ", key, "}")),
              HasReason("KEY_MISMATCH"));
  server_ = "http://127.0.0.1:1";
  EXPECT_THAT(open("{token: secret}"), HasReason("TOKEN_OVER_PLAINTEXT"));
  EXPECT_THAT(ConfigSource::Open(dir_.File("none"), log::Logger::Null()).status(),
              HasReason("FILE_UNREADABLE"));
}

// Over a real connection that is kept between requests: who the server sees.
TEST_F(ConfigSourceTest, TheNextRequestAfterAChangeProvesItselfAnew) {
  const security::CertificateAndKey issued = Issue("server");
  auto server =
      http::Server::Create({.cert_file = Write("server.crt", issued.certificate_pem),
                            .key_file = Write("server.key", issued.key_pem),
                            .client_ca_file = Write("ca.crt", ca_->certificate_pem()),
                            .client_certificates = http::ClientCertificates::kRequired},
                           [](http::Request request, std::shared_ptr<http::Responder> responder) {
                             responder->Send({.body = request.client->common_name});
                           });
  ASSERT_THAT(server, IsOk());
  server_ = absl::StrCat("https://", (*server)->address());
  Write("kubeconfig", Kubeconfig(Embedded("first")));
  CurlClient client(Open(), "test/1");
  EXPECT_EQ(*client.GetRaw("/", {}), "first");
  EXPECT_EQ(*client.GetRaw("/", {}), "first");
  EXPECT_EQ((*server)->stats().connections, 1u);
  Write("kubeconfig", Kubeconfig(Embedded("second")));
  EXPECT_EQ(*client.GetRaw("/", {}), "second");
}

}  // namespace
}  // namespace skerry::kubeclient
