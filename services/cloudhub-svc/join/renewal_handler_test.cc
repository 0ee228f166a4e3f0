#include "services/cloudhub-svc/join/renewal_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "services/cloudhub-svc/join/sqlite_node_records.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/csr.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

constexpr absl::Duration kDay = absl::Hours(24);

security::CertificateSubject Subject(const std::string& node) {
  return {.common_name = "system:node:" + node, .organizations = {"system:nodes"}};
}

class RenewalHandlerTest : public ::testing::Test {
 protected:
  // Joins with a new key; returns the certificate.
  std::string Join(const std::string& node) {
    security::KeyAndCsr made = *security::MakeKeyAndCsr(Subject(node));
    TokenRecord token = {.id = made.csr_pem,
                         .secret_hash = "hash",
                         .expire_time = clock_.Now() + kDay,
                         .node = *NodeName::Parse(node)};
    EXPECT_THAT(store_->Create(token), IsOk());
    std::string certificate = *ca_->SignCsr(
        made.csr_pem, {.subject = Subject(node), .now = clock_.Now(), .for_client = true});
    JoiningNode joining = {.name = *NodeName::Parse(node), .key_hash = KeyOf(certificate)};
    EXPECT_THAT(store_->Redeem(token.id, "hash", joining, clock_.Now()), IsOk());
    return certificate;
  }
  std::string KeyOf(const std::string& certificate) {
    return security::ParseCertificatePem(certificate)->key_sha256_hex;
  }
  std::string Csr(const std::string& node) {
    return security::MakeKeyAndCsr(Subject(node))->csr_pem;
  }
  http::Response Post(const std::string& certificate, const std::string& csr) {
    http::Request request = {.method = "POST", .path = "/v1/renew", .body = csr};
    request.remote = "10.0.0.1:4711";
    if (!certificate.empty()) {
      request.client = {.common_name = "of no account", .pem = certificate};
    }
    return handler_.Handle(request);
  }
  // The new certificate; empty where there was none.
  std::string Renew(const std::string& certificate, const std::string& node = "edge-1") {
    http::Response response = Post(certificate, Csr(node));
    if (response.status != 200) return "";
    return nlohmann::json::parse(response.body)["certificate"];
  }
  std::string Refusal(const http::Response& response) {
    EXPECT_NE(response.status, 200);
    nlohmann::json body = nlohmann::json::parse(response.body);
    fix_ = body["fix"];
    return body["reason"];
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
  metrics::Registry registry_{"cloudhub-svc"};
  JoinMetrics metrics_{registry_};
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", clock_.Now());
  std::unique_ptr<SqliteTokenStore> store_ = *SqliteTokenStore::Open(dir_.File("tokens.db"), true);
  RenewalHandler handler_{{.expired_grace = 30 * kDay}, *ca_, *store_, metrics_, clock_,
                          log::Logger::Null()};
  std::string fix_;
};

TEST_F(RenewalHandlerTest, SignsTheNewKeyForTheNodeOfTheOldCertificate) {
  const std::string old = Join("edge-1");
  clock_.Advance(250 * kDay);
  const std::string renewed = Renew(old);
  const security::CertificateInfo info = *security::ParseCertificatePem(renewed);
  EXPECT_EQ(info.common_name, "system:node:edge-1");
  EXPECT_THAT(info.organizations, ElementsAre("system:nodes"));
  EXPECT_EQ(info.not_after, clock_.Now() + 365 * kDay);
  EXPECT_NE(info.key_sha256_hex, KeyOf(old));
  EXPECT_THAT(security::VerifyChain(renewed, ca_->certificate_pem(), clock_.Now()), IsOk());
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_cloudhub_renewal_requests_total{reason=\"RENEWED\"} 1"));
}

TEST_F(RenewalHandlerTest, GoesOnForEver) {
  std::string certificate = Join("edge-1");
  for (int year = 0; year < 8; ++year) {
    clock_.Advance(300 * kDay);
    certificate = Renew(certificate);
    ASSERT_NE(certificate, "") << year;
  }
}

TEST_F(RenewalHandlerTest, TheOldKeyIsGoodUntilTheNewOneIsSeen) {
  const std::string old = Join("edge-1");
  const std::string lost = Renew(old);
  const std::string stored = Renew(old);
  ASSERT_NE(stored, "") << "the first answer did not arrive";
  ASSERT_NE(Renew(old), "") << "a request that came late";
  auto records = *SqliteNodeRecords::Open(dir_.path(), clock_);
  ASSERT_THAT(records->Admit({.node = *NodeName::Parse("edge-1"), .key_hash = KeyOf(stored)}),
              IsOk());
  EXPECT_EQ(Refusal(Post(old, Csr("edge-1"))), "NODE_KEY_REPLACED");
  EXPECT_EQ(Refusal(Post(lost, Csr("edge-1"))), "NODE_KEY_REPLACED");
  EXPECT_THAT(fix_, HasSubstr("skerryctl join --force"));
  EXPECT_NE(Renew(stored), "");
}

TEST_F(RenewalHandlerTest, AnExpiredCertificateIsTakenForAWhile) {
  const std::string old = Join("edge-1");
  clock_.Advance(395 * kDay);
  const std::string renewed = Renew(old);
  EXPECT_NE(renewed, "");
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_cloudhub_renewal_requests_total{reason=\"REENROLLED\"} 1"));
  clock_.Advance(395 * kDay + absl::Seconds(1));
  const http::Response response = Post(renewed, Csr("edge-1"));
  EXPECT_EQ(Refusal(response), "NODE_CERTIFICATE_EXPIRED");
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(fix_, HasSubstr("skerryctl token create --node"));
  EXPECT_THAT(fix_, HasSubstr("skerryctl join --force"));
}

TEST_F(RenewalHandlerTest, RefusesWhomItDoesNotKnow) {
  EXPECT_EQ(Refusal(Post("", Csr("edge-1"))), "NODE_CERTIFICATE_REQUIRED");
  const std::string controller = ca_->Issue({.subject = {.common_name = "system:edge-controller",
                                                         .organizations = {"skerry:controllers"}},
                                             .now = clock_.Now(),
                                             .for_client = true})
                                     ->certificate_pem;
  EXPECT_EQ(Refusal(Post(controller, Csr("edge-1"))), "NODE_CERTIFICATE_REQUIRED");
  const std::string stranger =
      ca_->Issue({.subject = Subject("edge-9"), .now = clock_.Now(), .for_client = true})
          ->certificate_pem;
  EXPECT_EQ(Refusal(Post(stranger, Csr("edge-9"))), "NODE_UNKNOWN");
  const std::string before = Join("edge-1");
  const std::string after = Join("edge-1");
  EXPECT_EQ(Refusal(Post(before, Csr("edge-1"))), "NODE_KEY_REPLACED");
  EXPECT_NE(Renew(after), "");
}

TEST_F(RenewalHandlerTest, RefusesADisabledNodeUntilItIsEnabled) {
  const std::string old = Join("edge-1");
  ASSERT_THAT(store_->SetDisabled(*NodeName::Parse("edge-1"), true), IsOk());
  EXPECT_EQ(Refusal(Post(old, Csr("edge-1"))), "NODE_DISABLED");
  EXPECT_THAT(fix_, HasSubstr("skerryctl node enable"));
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_cloudhub_renewal_requests_total{reason=\"NODE_DISABLED\"} 1"));
  ASSERT_THAT(store_->SetDisabled(*NodeName::Parse("edge-1"), false), IsOk());
  EXPECT_NE(Renew(old), "");
}

TEST_F(RenewalHandlerTest, ABadRequestChangesNothing) {
  const std::string old = Join("edge-1");
  EXPECT_EQ(Refusal(Post(old, "nonsense")), "CSR_INVALID");
  EXPECT_EQ(Refusal(Post(old, Csr("edge-2"))), "CSR_INVALID");
  security::CertificateSubject more = Subject("edge-1");
  more.organizations.push_back("system:masters");
  EXPECT_EQ(Refusal(Post(old, security::MakeKeyAndCsr(more)->csr_pem)), "CSR_INVALID");
  EXPECT_NE(Renew(old), "");
}

TEST_F(RenewalHandlerTest, TellsAStrangerNothingOfTheInside) {
  const std::string old = Join("edge-1");
  store_.reset();
  class Broken final : public NodeRegistry {
   public:
    absl::Status BeginRotation(const NodeName&, absl::string_view, absl::string_view,
                               absl::Time) override {
      return absl::ResourceExhaustedError("/secret/path is full");
    }
    absl::Status SetDisabled(const NodeName&, bool) override { return absl::OkStatus(); }
    absl::StatusOr<std::vector<NodeName>> DisabledNodes() override {
      return std::vector<NodeName>();
    }
  } broken;
  RenewalHandler handler({}, *ca_, broken, metrics_, clock_, log::Logger::Null());
  http::Request request = {.method = "POST", .path = "/v1/renew", .body = Csr("edge-1")};
  request.client = {.pem = old};
  const http::Response response = handler.Handle(request);
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  EXPECT_THAT(response.body, Not(HasSubstr("CERTIFICATE")));
}

}  // namespace
}  // namespace skerry::cloudhub
