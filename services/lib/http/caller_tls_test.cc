// Whom a caller trusts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/http/client_tls.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/raw_server.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::http {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::RawConnection;
using skerry::testing::RawServer;
using ::testing::HasSubstr;

class CallerTlsTest : public ::testing::Test {
 protected:
  void Serve(security::CertificateSpec spec, const std::string& listen = "127.0.0.1:0") {
    spec.subject = {.common_name = "s"};
    spec.for_server = true;
    const auto own = *ca_->Issue(spec);
    cert_ = dir_.Write("s.crt", own.certificate_pem);
    key_ = dir_.Write("s.key", own.key_pem);
    server_ = *Server::Create(
        {.listen = listen, .cert_file = cert_, .key_file = key_},
        [](Request, std::shared_ptr<Responder> responder) { responder->Send({.body = "hello"}); });
  }
  ~CallerTlsTest() override {
    if (server_ != nullptr) server_->Shutdown(absl::Now());
  }
  std::string Url(const std::string& host) const {
    return absl::StrCat("https://", host, server_->address().substr(server_->address().rfind(':')),
                        "/");
  }

  skerry::testing::TempDir dir_;
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", absl::Now());
  std::string cert_;
  std::string key_;
  std::unique_ptr<Server> server_;
  BeastCaller knows_{{.ca_file = dir_.Write("ca.crt", ca_->certificate_pem())}};
};

TEST_F(CallerTlsTest, VerifiesTheServer) {
  Serve({.dns_names = {"localhost"}, .now = absl::Now()});
  BeastCaller stranger({});
  const auto refused = stranger.Perform({.url = Url("localhost")});
  EXPECT_THAT(refused, HasReason("HTTP_TLS_UNTRUSTED"));
  EXPECT_THAT(knows_.Perform({.url = Url("localhost")}), IsOk());
  const auto other = knows_.Perform({.url = Url("127.0.0.1")});
  EXPECT_THAT(other, HasReason("HTTP_TLS_UNTRUSTED"));
  EXPECT_THAT(std::string(other.status().message()), HasSubstr("127.0.0.1"));
}

TEST_F(CallerTlsTest, ANameThatIsNotInTheCertificateIsRefused) {
  Serve({.dns_names = {"other.example"}, .now = absl::Now()});
  EXPECT_THAT(knows_.Perform({.url = Url("localhost")}), HasReason("HTTP_TLS_UNTRUSTED"));
}

TEST_F(CallerTlsTest, AnExpiredCertificateIsRefused) {
  Serve({.dns_names = {"localhost"},
         .now = absl::Now() - absl::Hours(48),
         .lifetime = absl::Hours(24)});
  const auto refused = knows_.Perform({.url = Url("localhost")});
  EXPECT_THAT(refused, HasReason("HTTP_TLS_UNTRUSTED"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("expired"));
}

TEST_F(CallerTlsTest, TakesAddressesInCertificates) {
  Serve({.ip_addresses = {"127.0.0.1"}, .now = absl::Now()});
  EXPECT_THAT(knows_.Perform({.url = Url("127.0.0.1")}), IsOk());
}

TEST_F(CallerTlsTest, TakesIpv6AddressesInCertificates) {
  Serve({.ip_addresses = {"::1"}, .now = absl::Now()}, "[::1]:0");
  EXPECT_THAT(knows_.Perform({.url = Url("[::1]")}), IsOk());
}

TEST_F(CallerTlsTest, KeepsTlsConnections) {
  Serve({.dns_names = {"localhost"}, .now = absl::Now()});
  BeastCaller keeper({.ca_file = dir_.File("ca.crt"), .idle_connections_max = 1});
  for (int i = 0; i < 3; ++i) EXPECT_THAT(keeper.Perform({.url = Url("localhost")}), IsOk());
  EXPECT_EQ(server_->stats().connections, 1u);
}

TEST_F(CallerTlsTest, TellsWhatIsNoTls) {
  RawServer plain([](RawConnection& connection, int) {
    connection.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.AwaitEnd();
  });
  EXPECT_THAT(knows_.Perform({.url = absl::StrCat("https://", plain.address(), "/")}),
              HasReason("HTTP_TLS_FAILED"));
  RawServer silent([](RawConnection& connection, int) { connection.AwaitEnd(); });
  EXPECT_THAT(knows_.Perform({.url = absl::StrCat("https://", silent.address(), "/"),
                              .timeout = absl::Milliseconds(50)}),
              HasReason("HTTP_TIMEOUT"));
  BeastCaller without({.ca_file = dir_.File("missing.crt")});
  const auto missing = without.Perform({.url = absl::StrCat("https://", silent.address(), "/")});
  EXPECT_THAT(missing, HasReason("HTTP_TLS_FAILED"));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("missing.crt"));
}

// Somebody between may cut a connection, but cannot say that TLS ends.
TEST_F(CallerTlsTest, AnAnswerWithoutALengthMustBeEndedByTls) {
  const auto own = *ca_->Issue({.subject = {.common_name = "s"},
                                .ip_addresses = {"127.0.0.1"},
                                .now = absl::Now(),
                                .for_server = true});
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  ASSERT_EQ(SSL_CTX_use_certificate_file(
                context.get(), dir_.Write("t.crt", own.certificate_pem).c_str(), SSL_FILETYPE_PEM),
            1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context.get(), dir_.Write("t.key", own.key_pem).c_str(),
                                        SSL_FILETYPE_PEM),
            1);
  RawServer server([&](RawConnection& connection, int number) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), connection.fd());
    if (SSL_accept(ssl.get()) != 1) return;
    char piece[4096];
    SSL_read(ssl.get(), piece, sizeof piece);
    constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\n\r\nhello";
    SSL_write(ssl.get(), kAnswer, sizeof kAnswer - 1);
    if (number > 0) SSL_shutdown(ssl.get());
  });
  const std::string url = absl::StrCat("https://", server.address(), "/");
  EXPECT_THAT(knows_.Perform({.url = url}), HasReason("HTTP_BROKEN"));
  const auto whole = knows_.Perform({.url = url});
  ASSERT_THAT(whole, IsOk());
  EXPECT_EQ(whole->body, "hello");
}

// How many roots a context has read so far.
int Roots(const SslContext& context) {
  return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.get())));
}

TEST(ClientTlsTest, ReadsTheSystemsRootsAsTheyAreThere) {
  skerry::testing::TempDir dir;
  const std::string pem =
      (*security::CertificateAuthority::Create("ca", absl::Now()))->certificate_pem();
  const std::string file = dir.Write("all.crt", pem);
  const std::string folder = dir.File("certs");
  std::filesystem::create_directory(folder);
  TlsTrust trust{.system = {.folder = folder, .file = file}};
  auto context = MakeClientContext(trust);
  ASSERT_THAT(context, IsOk());
  EXPECT_EQ(Roots(*context), 1) << "a folder without links by hashes: all of the file";
  std::filesystem::create_symlink(file, folder + "/0a1b2c3d.0");
  context = MakeClientContext(trust);
  ASSERT_THAT(context, IsOk());
  EXPECT_EQ(Roots(*context), 0) << "those of the folder are read when they are needed";
  trust.system.folder = trust.system.file = dir.File("missing");
  EXPECT_THAT(MakeClientContext(trust), HasReason("HTTP_TLS_FAILED"));
}

}  // namespace
}  // namespace skerry::http
