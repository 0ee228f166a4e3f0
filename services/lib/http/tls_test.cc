// TLS, client certificates and their reload over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/http/testing/raw_client.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::http {
namespace {

using skerry::testing::CurlAnswer;
using skerry::testing::CurlRequest;
using skerry::testing::Fetch;
using skerry::testing::RawClient;
using ::testing::HasSubstr;

// Each text is a record of its own, which the server reads by itself.
std::string AnswerToRecords(const std::string& address, const std::vector<std::string>& texts) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(std::atoi(&address[address.rfind(':') + 1])));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&peer), sizeof peer), 0);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), fd);
  EXPECT_EQ(SSL_connect(ssl.get()), 1);
  for (const std::string& text : texts)
    EXPECT_EQ(SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())), text.size());
  std::string answer(4096, '\0');
  const int got = SSL_read(ssl.get(), answer.data(), static_cast<int>(answer.size()));
  answer.resize(got > 0 ? static_cast<size_t>(got) : 0);
  close(fd);
  return answer;
}

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ca_ = *security::CertificateAuthority::Create("test-ca", absl::Now());
    dir_.Write("ca.crt", ca_->certificate_pem());
    WriteServerCertificate(*ca_);
  }

  void WriteServerCertificate(const security::CertificateAuthority& ca) {
    const auto issued = *ca.Issue({.subject = {.common_name = "server"},
                                   .ip_addresses = {"127.0.0.1"},
                                   .now = absl::Now(),
                                   .for_server = true});
    dir_.Write("server.crt", issued.certificate_pem);
    dir_.Write("server.key", issued.key_pem);
  }
  void WriteClientCertificate(const security::CertificateAuthority& ca, bool for_client = true) {
    const auto issued =
        *ca.Issue({.subject = {.common_name = "alice", .organizations = {"ops", "dev"}},
                   .now = absl::Now(),
                   .for_server = !for_client,
                   .for_client = for_client});
    dir_.Write("client.crt", issued.certificate_pem);
    dir_.Write("client.key", issued.key_pem);
  }
  std::unique_ptr<Server> Start(ClientCertificates client_certificates,
                                bool accept_expired_clients = false) {
    auto server = Server::Create(
        {.cert_file = dir_.File("server.crt"),
         .key_file = dir_.File("server.key"),
         .client_ca_file = dir_.File("ca.crt"),
         .client_certificates = client_certificates,
         .accept_expired_clients = accept_expired_clients,
         .header_timeout = absl::Milliseconds(500),
         .on_background_error = [this](const absl::Status&) { ++background_errors_; }},
        [](Request request, std::shared_ptr<Responder> responder) {
          if (request.path == "/stream") {
            auto stream = responder->Stream(200, {});
            for (int i = 0; i < 100; ++i) stream->Write(std::string(10000, 'x'));
            return stream->End();
          }
          responder->Send(
              {.status = 200,
               .body = !request.client.has_value()
                           ? std::string("nobody")
                           : absl::StrCat(request.client->common_name, ":",
                                          absl::StrJoin(request.client->organizations, ","))});
        });
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }
  CurlAnswer Get(const Server& server, bool with_certificate, const char* path = "/") {
    CurlRequest request{.url = absl::StrCat("https://", server.address(), path),
                        .ca_file = dir_.File("ca.crt")};
    if (with_certificate) {
      request.cert_file = dir_.File("client.crt");
      request.key_file = dir_.File("client.key");
    }
    return Fetch(request);
  }

  skerry::testing::TempDir dir_;
  std::unique_ptr<security::CertificateAuthority> ca_;
  std::atomic<int> background_errors_ = 0;
};

TEST_F(TlsTest, ServesWithoutClientCertificates) {
  auto server = Start(ClientCertificates::kNone);
  WriteClientCertificate(*ca_);
  EXPECT_EQ(Get(*server, false).body, "nobody");
  EXPECT_EQ(Get(*server, true).body, "nobody");  // Not asked for.
  EXPECT_EQ(Get(*server, false, "/stream").body.size(), 1000000u);
}

TEST_F(TlsTest, KnowsClientsByTheirCertificates) {
  auto server = Start(ClientCertificates::kOptional);
  WriteClientCertificate(*ca_);
  EXPECT_EQ(Get(*server, false).body, "nobody");
  EXPECT_EQ(Get(*server, true).body, "alice:ops,dev");
}

TEST_F(TlsTest, RefusesCertificatesOfOthers) {
  auto server = Start(ClientCertificates::kOptional);
  const auto other = *security::CertificateAuthority::Create("test-ca", absl::Now());
  WriteClientCertificate(*other);
  EXPECT_NE(Get(*server, true).error, "");
  WriteClientCertificate(*ca_, /*for_client=*/false);  // A server's certificate is no client's.
  EXPECT_NE(Get(*server, true).error, "");
  EXPECT_EQ(server->stats().requests, 0u);
}

TEST_F(TlsTest, RequiresCertificatesWhereToldTo) {
  auto server = Start(ClientCertificates::kRequired);
  WriteClientCertificate(*ca_);
  EXPECT_NE(Get(*server, false).error, "");
  EXPECT_EQ(Get(*server, true).body, "alice:ops,dev");
}

TEST_F(TlsTest, OverlooksThatACertificateHasExpiredWhereToldTo) {
  const auto expired = [this](const security::CertificateAuthority& ca) {
    const auto issued = *ca.Issue({.subject = {.common_name = "alice", .organizations = {"ops"}},
                                   .now = absl::Now() - absl::Hours(2),
                                   .lifetime = absl::Hours(1),
                                   .for_client = true});
    dir_.Write("client.crt", issued.certificate_pem);
    dir_.Write("client.key", issued.key_pem);
  };
  expired(*ca_);
  auto strict = Start(ClientCertificates::kOptional);
  EXPECT_NE(Get(*strict, true).error, "");
  auto lenient = Start(ClientCertificates::kOptional, /*accept_expired_clients=*/true);
  EXPECT_EQ(Get(*lenient, true).body, "alice:ops");
  EXPECT_EQ(Get(*lenient, false).body, "nobody");
  WriteClientCertificate(*ca_, /*for_client=*/false);
  EXPECT_NE(Get(*lenient, true).error, "") << "of no other fault";
  const auto other = *security::CertificateAuthority::Create("test-ca", absl::Now());
  expired(*other);
  EXPECT_NE(Get(*lenient, true).error, "");
}

TEST_F(TlsTest, ClosesPlainAndSilentClients) {
  auto server = Start(ClientCertificates::kNone);
  RawClient plain(server->address());
  plain.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(plain.ReadAll(), ::testing::Not(HasSubstr("HTTP")));
  RawClient silent(server->address());
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_GE(server->stats().handshakes_failed, 2u);
  EXPECT_EQ(Get(*server, false).body, "nobody");
}

TEST_F(TlsTest, ReadsItsFilesAgainWhenTheyChange) {
  auto server = Start(ClientCertificates::kOptional);
  WriteClientCertificate(*ca_);
  EXPECT_EQ(Get(*server, true).body, "alice:ops,dev");
  // Another CA for all: only with the new files in use do both sides agree.
  const auto next = *security::CertificateAuthority::Create("next-ca", absl::Now());
  dir_.Write("ca.crt", next->certificate_pem());
  WriteServerCertificate(*next);
  WriteClientCertificate(*next);
  EXPECT_EQ(Get(*server, true).body, "alice:ops,dev");
  dir_.Write("server.crt", "no certificate");
  EXPECT_EQ(Get(*server, true).body, "alice:ops,dev");
  EXPECT_GE(background_errors_, 1);
}

TEST_F(TlsTest, RefusesToStartWithFilesThatCannotBeUsed) {
  const ServerOptions good{.cert_file = dir_.File("server.crt"),
                           .key_file = dir_.File("server.key")};
  const auto handler = [](Request, std::shared_ptr<Responder>) {};
  ServerOptions options = good;
  options.cert_file = dir_.File("absent");
  EXPECT_THAT(std::string(Server::Create(options, handler).status().message()),
              HasSubstr("absent"));
  options = good;
  WriteClientCertificate(*ca_);
  options.key_file = dir_.File("client.key");
  EXPECT_THAT(std::string(Server::Create(options, handler).status().message()),
              HasSubstr("client.key"));
  options = good;
  options.client_certificates = ClientCertificates::kOptional;
  EXPECT_FALSE(Server::Create(options, handler).ok());
  options.client_ca_file = dir_.File("server.key");
  EXPECT_FALSE(Server::Create(options, handler).ok());
}

// Beast asserted otherwise, and the process was gone.
TEST_F(TlsTest, TakesALastChunkInPieces) {
  auto server = Start(ClientCertificates::kNone);
  EXPECT_THAT(AnswerToRecords(server->address(),
                              {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                               "0\r\n", "\r", "\n"}),
              HasSubstr("200 OK"));
  server->Shutdown(absl::Now());
}

// Beast counts the bytes of headers anew where a read ends with the first of a field.
TEST_F(TlsTest, BoundsHeadersThatComeOneByOne) {
  auto server = Start(ClientCertificates::kNone);
  std::vector<std::string> records = {"GET / HTTP/1.1\r\nHost: x\r\nX"};
  const std::string field = absl::StrCat(": ", std::string(1000, 'x'), "\r\nX");
  records.resize(70, field);
  EXPECT_THAT(AnswerToRecords(server->address(), records), HasSubstr(" 431 "));
  server->Shutdown(absl::Now());
}

}  // namespace
}  // namespace skerry::http
