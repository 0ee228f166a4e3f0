#include "services/lib/http/https_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::http {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;

// A server that knows its clients by their certificates, and whose certificate names hub.example
// only.
class HttpsClientTest : public ::testing::Test {
 protected:
  HttpsClientTest() {
    const auto own = *ca_->Issue({.subject = {.common_name = "hub"},
                                  .dns_names = {"hub.example"},
                                  .now = absl::Now(),
                                  .for_server = true});
    server_ = *Server::Create(
        {.cert_file = dir_.Write("server.crt", own.certificate_pem),
         .key_file = dir_.Write("server.key", own.key_pem),
         .client_ca_file = dir_.Write("ca.crt", ca_->certificate_pem()),
         .client_certificates = ClientCertificates::kOptional},
        [this](Request request, std::shared_ptr<Responder> responder) {
          if (request.path == "/silent") {
            kept_ = std::move(responder);
            stop_.request_stop();
            return;
          }
          const std::string who = request.client.has_value() ? request.client->common_name : "";
          responder->Send({.body = absl::StrCat(request.method, " ", request.path, " ", who, " ",
                                                request.body)});
        });
  }
  ~HttpsClientTest() override { server_->Shutdown(absl::Now()); }

  HttpsRequest To(const std::string& path) {
    return {.url = absl::StrCat("https://", server_->address(), path),
            .ca_pem = ca_->certificate_pem(),
            .server_name = "hub.example"};
  }

  skerry::testing::TempDir dir_;
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", absl::Now());
  std::stop_source stop_;
  std::shared_ptr<Responder> kept_;
  std::unique_ptr<Server> server_;
  BeastHttpsClient client_;
};

TEST_F(HttpsClientTest, VerifiesTheNameThatIsExpected) {
  HttpsRequest request = To("/a");
  EXPECT_EQ(client_.Call(request)->body, "GET /a  ");
  request.server_name = "other.example";
  EXPECT_THAT(client_.Call(request), HasReason("TLS_UNTRUSTED"));
  request.server_name.clear();
  EXPECT_THAT(client_.Call(request), HasReason("TLS_UNTRUSTED")) << "an address is no name of it";
  request = To("/a");
  request.ca_pem = (*security::CertificateAuthority::Create("ca", absl::Now()))->certificate_pem();
  EXPECT_THAT(client_.Call(request), HasReason("TLS_UNTRUSTED"));
}

TEST_F(HttpsClientTest, ProvesItsIdentity) {
  const auto issued =
      *ca_->Issue({.subject = {.common_name = "alice"}, .now = absl::Now(), .for_client = true});
  HttpsRequest request = To("/b");
  request.identity_pem = issued.certificate_pem + issued.key_pem;
  request.body = "text";
  auto answer = client_.Call(request);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->body, "POST /b alice text");
  request.identity_pem = issued.certificate_pem;  // Without its key.
  EXPECT_THAT(client_.Call(request), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(HttpsClientTest, StopEndsACall) {
  HttpsRequest request = To("/silent");
  request.timeout = absl::Minutes(5);
  request.stop = stop_.get_token();
  EXPECT_THAT(client_.Call(request), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace skerry::http
