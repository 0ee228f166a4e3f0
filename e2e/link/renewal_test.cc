// A node's certificate from join to renewal to re-enrolment: cloudhub-svc and edgehub-svc as they
// are, over TLS on loopback, with certificates of a few seconds' life.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/cloudhub-svc/app.h"
#include "services/edgehub-svc/app.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/https_client.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/files.h"
#include "services/lib/security/tls.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

namespace cv1 = skerry::cloudhub::v1;
namespace ev1 = skerry::edgehub::v1;

using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadFileText;

constexpr absl::Duration kLimit = absl::Seconds(40);

const security::CertificateSubject kSubject = {.common_name = "system:node:edge-1",
                                               .organizations = {"system:nodes"}};

class RenewalTest : public ::testing::Test {
 protected:
  ~RenewalTest() override {
    StopEdge();
    StopCloud();
  }

  void StartCloud(absl::Duration lifetime, absl::Duration grace = absl::Hours(1)) {
    cloudhub::CloudHubConfig config;
    config.state_dir = dir_.File("cloudhub");
    config.link_listen = config.api_listen = config.join_listen = "127.0.0.1:0";
    config.node_certificate_lifetime = lifetime;
    config.expired_grace = grace;
    cloud_ = std::make_unique<cloudhub::CloudHubApp>(config, clock_, log::Logger::Null());
    ASSERT_THAT(cloud_->Start(), IsOk());
    const std::string clients = dir_.File("cloudhub/clients/");
    rpc::ChannelOptions options;
    options.target = cloud_->addresses().at("api");
    options.credentials = *security::MutualTlsClient({.ca = clients + "ca.crt",
                                                      .cert = clients + "operator.crt",
                                                      .key = clients + "operator.key"});
    admin_ = cv1::AdminService::NewStub(*rpc::MakeChannel(options));
  }

  template <typename Request, typename Response>
  Response Admin(grpc::Status (cv1::AdminService::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                 const Request& request) {
    Response response;
    EXPECT_THAT(rpc::CallUnary(absl::Seconds(10),
                               [&](grpc::ClientContext* context) {
                                 return ((*admin_).*method)(context, request, &response);
                               }),
                IsOk());
    return response;
  }
  void SetDisabled(bool disabled) {
    if (disabled) {
      cv1::DisableNodeRequest request;
      request.set_node("edge-1");
      Admin(&cv1::AdminService::Stub::DisableNode, request);
    } else {
      cv1::EnableNodeRequest request;
      request.set_node("edge-1");
      Admin(&cv1::AdminService::Stub::EnableNode, request);
    }
  }

  // As skerryctl join does; returns the key.
  std::string Join() {
    cv1::CreateJoinTokenRequest token;
    token.set_node("edge-1");
    const std::string secret = Admin(&cv1::AdminService::Stub::CreateJoinToken, token).secret();
    const security::KeyAndCsr made = *security::MakeKeyAndCsr(kSubject);
    const nlohmann::json answer =
        Post("/v1/join", "", made.csr_pem, {"Authorization: Bearer " + secret});
    WriteIdentity(answer.value("certificate", ""), made.key_pem);
    return made.key_pem;
  }
  void WriteIdentity(const std::string& certificate, const std::string& key) {
    ASSERT_THAT(security::WriteFileAtomically(dir_.File("node.pem"), certificate + key, 0600),
                IsOk());
  }
  // A certificate for that key whose time was over ten minutes ago.
  void WriteExpiredIdentity(const std::string& key) {
    auto ca = *security::CertificateAuthority::LoadOrCreate(dir_.File("cloudhub/ca"), "skerry-ca",
                                                            clock_.Now());
    WriteIdentity(
        *ca->SignCsr(*security::MakeCsr(key, kSubject), {.subject = kSubject,
                                                         .now = clock_.Now() - absl::Minutes(20),
                                                         .lifetime = absl::Minutes(10),
                                                         .for_client = true}),
        key);
  }
  nlohmann::json Post(const std::string& path, const std::string& identity, const std::string& csr,
                      const std::vector<std::string>& headers = {}) {
    http::BeastHttpsClient https;
    auto answer = https.Call({.url = "https://" + cloud_->addresses().at("join") + path,
                              .ca_pem = ReadFileText(dir_.File("cloudhub/ca/ca.crt")),
                              .identity_pem = identity,
                              .headers = headers,
                              .body = csr});
    EXPECT_THAT(answer, IsOk());
    return nlohmann::json::parse(answer.ok() ? answer->body : "{}", nullptr, false);
  }
  nlohmann::json Renew(const std::string& identity) {
    return Post("/v1/renew", identity, security::MakeKeyAndCsr(kSubject)->csr_pem);
  }

  void StartEdge() {
    edgehub::EdgeHubConfig config;
    config.run_dir = dir_.File("run");
    config.state_dir = dir_.File("edge");
    config.cloud_address = cloud_->addresses().at("link");
    config.cloud_join_address = cloud_->addresses().at("join");
    config.backoff_min = absl::Milliseconds(50);
    config.backoff_max = absl::Milliseconds(200);
    config.tls_ca = dir_.File("cloudhub/ca/ca.crt");
    config.tls_identity = dir_.File("node.pem");
    edge_ = std::make_unique<edgehub::EdgeHubApp>(config, clock_, log::Logger::Null());
    ASSERT_THAT(edge_->Start(), IsOk());
  }
  void StopCloud() {
    if (cloud_ != nullptr) cloud_->Drain(absl::Now() + absl::Seconds(5));
    cloud_ = nullptr;
  }
  void StopEdge() {
    if (edge_ != nullptr) edge_->Drain(absl::Now() + absl::Seconds(5));
    edge_ = nullptr;
  }
  ev1::EdgeHubStatus Status() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    auto stub = ev1::EdgeHubService::NewStub(*rpc::MakeChannel(options));
    ev1::EdgeHubStatus response;
    EXPECT_THAT(rpc::CallUnary(absl::Seconds(5),
                               [&](grpc::ClientContext* context) {
                                 return stub->GetStatus(context, ev1::GetStatusRequest(),
                                                        &response);
                               }),
                IsOk());
    return response;
  }
  security::CertificateInfo OnDisk() {
    return *security::ParseCertificatePem(ReadFileText(dir_.File("node.pem")));
  }
  bool Await(const std::function<bool()>& want) {
    const absl::Time deadline = absl::Now() + kLimit;
    while (absl::Now() < deadline) {
      if (want()) return true;
    }
    return false;
  }
  bool AwaitLink(bool connected = true) {
    return Await([&] { return Status().link().connected() == connected; });
  }

  testing::TempDir dir_;
  SystemClock clock_;
  std::unique_ptr<cloudhub::CloudHubApp> cloud_;
  std::unique_ptr<cv1::AdminService::Stub> admin_;
  std::unique_ptr<edgehub::EdgeHubApp> edge_;
};

TEST_F(RenewalTest, TheLinkOutlivesTheCertificateItBeganWith) {
  StartCloud(absl::Seconds(12));
  Join();
  const std::string first_identity = ReadFileText(dir_.File("node.pem"));
  const security::CertificateInfo first = OnDisk();
  StartEdge();
  ASSERT_TRUE(AwaitLink());
  const uint64_t epoch = Status().epoch();
  ASSERT_TRUE(Await([&] { return OnDisk().serial != first.serial; }));
  EXPECT_LT(absl::Now(), first.not_after) << "in time";
  EXPECT_NE(OnDisk().key_sha256_hex, first.key_sha256_hex);
  ASSERT_TRUE(Await([&] { return absl::Now() > first.not_after; }));
  EXPECT_TRUE(Status().link().connected());
  EXPECT_EQ(Status().epoch(), epoch) << "the session that began with the first certificate";

  StopEdge();
  StartEdge();
  ASSERT_TRUE(AwaitLink()) << "with the certificate on disk";
  EXPECT_GT(Status().epoch(), epoch);
  StopEdge();
  StopCloud();  // Whatever it has seen is recorded by then.
  StartCloud(absl::Seconds(12));
  EXPECT_EQ(Renew(first_identity).value("reason", ""), "NODE_KEY_REPLACED")
      << "the new key was seen in use";
}

TEST_F(RenewalTest, ANodeThatWasOffForLongComesBack) {
  StartCloud(absl::Hours(1));
  WriteExpiredIdentity(Join());
  StartEdge();
  EXPECT_TRUE(AwaitLink());
  EXPECT_GT(OnDisk().not_after, absl::Now());
}

TEST_F(RenewalTest, ANodeThatWasOffForTooLongMustJoinAgain) {
  StartCloud(absl::Hours(1), /*grace=*/absl::Minutes(5));
  WriteExpiredIdentity(Join());
  const nlohmann::json refusal = Renew(ReadFileText(dir_.File("node.pem")));
  EXPECT_EQ(refusal.value("reason", ""), "NODE_CERTIFICATE_EXPIRED");
  EXPECT_THAT(refusal.value("fix", ""), HasSubstr("skerryctl join --force"));
  StartEdge();
  EXPECT_FALSE(Status().link().connected());
  Join();
  EXPECT_TRUE(AwaitLink()) << "the file was replaced under a running service";
}

TEST_F(RenewalTest, ADisabledNodeIsLockedOutUntilItIsEnabled) {
  StartCloud(absl::Hours(1));
  Join();
  StartEdge();
  ASSERT_TRUE(AwaitLink());
  SetDisabled(true);
  EXPECT_TRUE(AwaitLink(false));
  EXPECT_EQ(Renew(ReadFileText(dir_.File("node.pem"))).value("reason", ""), "NODE_DISABLED");
  EXPECT_FALSE(Status().link().connected());
  SetDisabled(false);
  EXPECT_TRUE(AwaitLink());
}

}  // namespace
}  // namespace skerry::e2e
