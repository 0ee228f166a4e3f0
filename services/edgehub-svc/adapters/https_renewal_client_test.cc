#include "services/edgehub-svc/adapters/https_renewal_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

class FakeHttps final : public http::HttpsClient {
 public:
  absl::StatusOr<http::HttpsResponse> Call(const http::HttpsRequest& request) override {
    last = request;
    return answer;
  }
  http::HttpsRequest last;
  absl::StatusOr<http::HttpsResponse> answer = http::HttpsResponse{};
};

class HttpsRenewalClientTest : public ::testing::Test {
 protected:
  HttpsRenewalClientTest() {
    auto ca = *security::CertificateAuthority::Create("ca", absl::Now());
    dir_.Write("ca.crt", ca->certificate_pem());
    auto issued = *ca->Issue(
        {.subject = {.common_name = "system:node:edge-1"}, .now = absl::Now(), .for_client = true});
    dir_.Write("node.pem", issued.certificate_pem + issued.key_pem);
  }
  absl::StatusOr<std::string> Renew(int status, const std::string& body) {
    https_.answer = http::HttpsResponse{status, body};
    return client_.Renew(*ReadNodeIdentity(dir_.File("node.pem")), "the request");
  }

  testing::TempDir dir_;
  FakeHttps https_;
  HttpsRenewalClient client_{
      {.address = "hub.example:10002", .server_name = "hub", .ca_file = dir_.File("ca.crt")},
      https_};
};

TEST_F(HttpsRenewalClientTest, AsksWithProofOfThePresentCertificate) {
  EXPECT_THAT(Renew(200, R"({"certificate": "the answer"})"), IsOkAndHolds("the answer"));
  EXPECT_EQ(https_.last.url, "https://hub.example:10002/v1/renew");
  EXPECT_EQ(https_.last.server_name, "hub");
  EXPECT_EQ(https_.last.body, "the request");
  EXPECT_EQ(https_.last.ca_pem, testing::ReadFileText(dir_.File("ca.crt")));
  EXPECT_EQ(https_.last.identity_pem, testing::ReadFileText(dir_.File("node.pem")));
}

TEST_F(HttpsRenewalClientTest, TellsARefusalFromAFailure) {
  const absl::Status refused =
      Renew(403, R"({"reason": "NODE_DISABLED", "message": "m", "fix": "f"})").status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(refused, HasReason("NODE_DISABLED"));
  EXPECT_EQ(GetErrorInfo(refused).metadata["fix"], "f");
  for (const auto& [status, body] :
       {std::pair(429, R"({"reason": "RATE_LIMITED", "message": "m", "fix": "f"})"),
        std::pair(500, R"({"reason": "INTERNAL"})"), std::pair(502, "<html>"),
        std::pair(404, "<html>")}) {
    EXPECT_THAT(Renew(status, body), StatusIs(absl::StatusCode::kUnavailable)) << status;
  }
  https_.answer = absl::UnavailableError("no route");
  EXPECT_THAT(client_.Renew(*ReadNodeIdentity(dir_.File("node.pem")), "x"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(HttpsRenewalClientTest, SurvivesWhateverIsAnswered) {
  for (const char* body : {"", "[]", "null", R"({"certificate": 7})", "{"})
    EXPECT_THAT(Renew(200, body), IsOkAndHolds("")) << body;
  const absl::Status refused =
      Renew(403, R"({"reason": ")" + std::string(5000, 'x') + R"(", "fix": []})").status();
  EXPECT_LE(GetErrorInfo(refused).reason.size(), 500u);
}

TEST_F(HttpsRenewalClientTest, NeverAsksAHubThatItCannotVerify) {
  dir_.Write("ca.crt", "");
  EXPECT_THAT(Renew(200, R"({"certificate": "x"})"), HasReason("CA_EMPTY"));
  EXPECT_EQ(https_.last.url, "");
}

TEST_F(HttpsRenewalClientTest, CancelReachesTheRequest) {
  client_.Cancel();
  EXPECT_THAT(Renew(200, R"({"certificate": "x"})"), IsOk());
  EXPECT_TRUE(https_.last.stop.stop_requested());
}

TEST(JoinAddressOfTest, IsTheSameHost) {
  EXPECT_EQ(JoinAddressOf("hub.example:10000"), "hub.example:10002");
  EXPECT_EQ(JoinAddressOf("[2001:db8::1]:443"), "[2001:db8::1]:10002");
}

}  // namespace
}  // namespace skerry::edgehub
