// Two hubs on one PostgreSQL, as they are, and a box that the test plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "api/skerry/link/v1/link.grpc.pb.h"
#include "e2e/link/peer.h"
#include "services/cloudhub-svc/app.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/tls.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

namespace cv1 = skerry::cloudhub::v1;
namespace lv1 = skerry::link::v1;

using testing::HasReason;
using testing::IsOk;
using Box = Peer<lv1::CloudFrame, lv1::EdgeFrame>;

class ReplicasTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto postgres = testing::LocalPostgres::Start();
    ASSERT_THAT(postgres, IsOk());
    postgres_ = *std::move(postgres);
    dir_.Write("database", *postgres_->CreateDatabase());
    for (size_t i = 0; i < hubs_.size(); ++i) {
      cloudhub::CloudHubConfig config;
      config.hub_name = absl::StrCat("hub-", i);
      config.state_dir = dir_.File(config.hub_name);
      config.ca_dir = dir_.File("ca");
      config.store_kind = "postgres";
      config.postgres_url_file = dir_.File("database");
      config.link_listen = config.api_listen = config.join_listen = "127.0.0.1:0";
      hubs_[i] = std::make_unique<cloudhub::CloudHubApp>(config, clock_, log::Logger::Null());
      ASSERT_THAT(hubs_[i]->Start(), IsOk());
    }
    node_ = Certificate("system:node:edge-1", "system:nodes");
  }
  void TearDown() override {
    for (auto& hub : hubs_) {
      if (hub != nullptr) hub->Drain(absl::Now() + absl::Seconds(5));
      hub.reset();
    }
  }

  security::TlsFiles Certificate(const std::string& name, const std::string& organization) {
    const auto ca =
        *security::CertificateAuthority::LoadOrCreate(dir_.File("ca"), "", clock_.Now());
    const auto issued =
        *ca->Issue({.subject = {name, {organization}}, .now = clock_.Now(), .for_client = true});
    const std::string file = dir_.Write(name, issued.certificate_pem + issued.key_pem);
    return {.ca = dir_.File("ca/ca.crt"), .cert = file, .key = file};
  }
  std::shared_ptr<grpc::Channel> ChannelTo(size_t hub, const std::string& port,
                                           const security::TlsFiles& files) {
    return *rpc::MakeChannel({.target = hubs_[hub]->addresses().at(port),
                              .credentials = *security::MutualTlsClient(files),
                              .own_connection = true});
  }

  std::unique_ptr<Box> Dial(size_t hub) {
    auto stub = lv1::LinkService::NewStub(ChannelTo(hub, "link", node_));
    auto box = std::make_unique<Box>(
        [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); });
    lv1::EdgeFrame frame;
    frame.mutable_hello()->set_protocol_version(1);
    frame.mutable_hello()->set_boot_id("boot");
    frame.mutable_hello()->set_journal_id("journal");
    box->Send(frame);
    return box;
  }
  // Of the Welcome; 0 without one.
  static uint64_t EpochOf(Box& box) {
    const auto frame = box.Await([](const lv1::CloudFrame& f) { return f.has_welcome(); });
    return frame.has_value() ? frame->welcome().epoch() : 0;
  }

  template <typename Request, typename Response, typename Method>
  Response Ask(size_t hub, Method method, const Request& request) {
    auto stub = cv1::AdminService::NewStub(
        ChannelTo(hub, "api", Certificate("operator", "skerry:operators")));
    Response response;
    EXPECT_THAT(rpc::CallUnary(absl::Seconds(20),
                               [&](grpc::ClientContext* context) {
                                 return ((*stub).*method)(context, request, &response);
                               }),
                IsOk());
    return response;
  }
  cv1::Hub State(size_t hub) {
    return Ask<cv1::GetHubRequest, cv1::Hub>(hub, &cv1::AdminService::Stub::GetHub, {});
  }

  SystemClock clock_;
  testing::TempDir dir_;
  std::unique_ptr<testing::LocalPostgres> postgres_;
  std::array<std::unique_ptr<cloudhub::CloudHubApp>, 2> hubs_;
  security::TlsFiles node_;
};

// link-2.1, link-2.7
TEST_F(ReplicasTest, ABoxThatComesToOneReplicaIsGoneFromTheOther) {
  std::unique_ptr<Box> present;
  uint64_t epoch = 0;
  for (size_t i = 0; i < 10; ++i) {
    std::unique_ptr<Box> next = Dial(i % 2);
    const uint64_t given = EpochOf(*next);
    EXPECT_GT(given, epoch);
    epoch = given;
    if (present != nullptr) {
      EXPECT_THAT(present->AwaitClosed(), HasReason("SESSION_FENCED"));
    }
    present = std::move(next);
  }
}

TEST_F(ReplicasTest, OfTwoSessionsAtOnceTheOneOfTheGreaterEpochStays) {
  for (int i = 0; i < 10; ++i) {
    std::unique_ptr<Box> one = Dial(0);
    std::unique_ptr<Box> other = Dial(1);
    const uint64_t epoch_of_one = EpochOf(*one);
    const uint64_t epoch_of_other = EpochOf(*other);
    ASSERT_NE(epoch_of_one, epoch_of_other) << "at most one was fenced before its Welcome";
    Box& fenced = epoch_of_one < epoch_of_other ? *one : *other;
    EXPECT_THAT(fenced.AwaitClosed(), HasReason("SESSION_FENCED"));
    const size_t keeper = epoch_of_one < epoch_of_other ? 1 : 0;
    EXPECT_EQ(State(keeper).session_count(), 1);
    EXPECT_EQ(State(1 - keeper).session_count(), 0);
  }
}

// cloudhub-3.3
TEST_F(ReplicasTest, ANodeThatIsDisabledAtOneReplicaIsRefusedAtTheOther) {
  std::unique_ptr<Box> box = Dial(1);
  ASSERT_GT(EpochOf(*box), 0u);
  cv1::DisableNodeRequest request;
  request.set_node("edge-1");
  Ask<cv1::DisableNodeRequest, cv1::DisableNodeResponse>(0, &cv1::AdminService::Stub::DisableNode,
                                                         request);
  EXPECT_THAT(box->AwaitClosed(), HasReason("NODE_DISABLED"));
  EXPECT_THAT(Dial(1)->AwaitClosed(), HasReason("NODE_DISABLED"));
}

// cloudhub-3.4
TEST_F(ReplicasTest, ADrainEndsWhenTheNodeIsAtTheOtherReplica) {
  std::unique_ptr<Box> box = Dial(0);
  ASSERT_GT(EpochOf(*box), 0u);
  Ask<cv1::DrainHubRequest, cv1::DrainHubResponse>(0, &cv1::AdminService::Stub::DrainHub, {});
  const auto goaway = box->Await([](const lv1::CloudFrame& f) { return f.has_go_away(); });
  ASSERT_TRUE(goaway.has_value());
  EXPECT_EQ(goaway->go_away().reason(), "DRAINING");
  EXPECT_FALSE(hubs_[0]->readiness().ready());
  EXPECT_THAT(Dial(0)->AwaitClosed(), HasReason("DRAINING"));
  cv1::Hub hub = State(0);
  EXPECT_TRUE(hub.draining());
  EXPECT_EQ(hub.session_count(), 0);
  EXPECT_THAT(hub.moving_nodes(), ::testing::ElementsAre("edge-1"));

  std::unique_ptr<Box> moved = Dial(1);
  ASSERT_GT(EpochOf(*moved), 0u);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (State(0).moving_count() > 0) ASSERT_LT(absl::Now(), deadline);
  Ask<cv1::UndrainHubRequest, cv1::UndrainHubResponse>(0, &cv1::AdminService::Stub::UndrainHub, {});
  EXPECT_TRUE(hubs_[0]->readiness().ready());
  EXPECT_GT(EpochOf(*Dial(0)), 0u);
}

}  // namespace
}  // namespace skerry::e2e
