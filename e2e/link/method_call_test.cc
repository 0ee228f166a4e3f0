// Calls of methods: device-controller-svc's sender, two hubs on one PostgreSQL and the box's hub as
// they are, over mutual TLS; the test plays the service of the box that calls devices.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "e2e/link/peer.h"
#include "services/cloudhub-svc/app.h"
#include "services/device-controller-svc/service/hub_commands.h"
#include "services/edgehub-svc/app.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/tls.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

namespace cv1 = skerry::cloudhub::v1;
namespace ev1 = skerry::edgehub::v1;

using cv1::Command;
using devicecontroller::Commands;
using devicecontroller::HubCommands;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::IsOk;
using Taker = Peer<ev1::HubFrame, ev1::SpokeFrame>;

constexpr absl::Duration kTimeout = absl::Seconds(20);

class Answer {
 public:
  absl::StatusOr<Command> Await() {
    if (!come_.WaitForNotificationWithTimeout(absl::Seconds(60)))
      return absl::DeadlineExceededError("no answer");
    return command_;
  }
  void Set(absl::StatusOr<Command> command) {
    command_ = std::move(command);
    come_.Notify();
  }

 private:
  absl::Notification come_;
  absl::StatusOr<Command> command_ = absl::UnknownError("");
};

class MethodCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto postgres = testing::LocalPostgres::Start();
    ASSERT_THAT(postgres, IsOk());
    postgres_ = *std::move(postgres);
    dir_.Write("database", *postgres_->CreateDatabase());
    for (size_t i = 0; i < hubs_.size(); ++i) StartHub(i);
    const security::TlsFiles files = Certificate("system:device-controller", "skerry:controllers");
    std::vector<devicecontroller::CommandHub> targets;
    for (const auto& address : api_) {
      channels_.push_back(*rpc::MakeChannel({.target = address,
                                             .credentials = *security::MutualTlsClient(files),
                                             .backoff_max = absl::Seconds(1),
                                             .own_connection = true}));
      targets.push_back({address, channels_.back()});
    }
    commands_.SetHubs(std::move(targets));
  }
  void TearDown() override {
    commands_.Stop();
    if (edge_ != nullptr) edge_->Drain(absl::Now() + absl::Seconds(5));
    edge_.reset();
    for (auto& hub : hubs_) {
      if (hub != nullptr) hub->Drain(absl::Now() + absl::Seconds(5));
      hub.reset();
    }
  }

  // Where it was before, if it was.
  void StartHub(size_t i) {
    cloudhub::CloudHubConfig config;
    config.hub_name = absl::StrCat("hub-", i);
    config.state_dir = dir_.File(config.hub_name);
    config.ca_dir = dir_.File("ca");
    config.store_kind = "postgres";
    config.postgres_url_file = dir_.File("database");
    config.link_listen = link_[i];
    config.api_listen = api_[i];
    config.join_listen = "127.0.0.1:0";
    hubs_[i] = std::make_unique<cloudhub::CloudHubApp>(config, clock_, log::Logger::Null());
    ASSERT_THAT(hubs_[i]->Start(), IsOk());
    link_[i] = hubs_[i]->addresses().at("link");
    api_[i] = hubs_[i]->addresses().at("api");
  }
  void StopHub(size_t i) {
    hubs_[i]->Stop();
    hubs_[i] = nullptr;
  }
  security::TlsFiles Certificate(const std::string& name, const std::string& organization) {
    const auto ca =
        *security::CertificateAuthority::LoadOrCreate(dir_.File("ca"), "", clock_.Now());
    const auto issued =
        *ca->Issue({.subject = {name, {organization}}, .now = clock_.Now(), .for_client = true});
    const std::string file = dir_.Write(name, issued.certificate_pem + issued.key_pem);
    return {.ca = dir_.File("ca/ca.crt"), .cert = file, .key = file};
  }
  void StartEdge(size_t hub) {
    edgehub::EdgeHubConfig config;
    config.run_dir = dir_.File("run");
    config.state_dir = dir_.File("edge");
    config.cloud_address = link_[hub];
    config.backoff_min = absl::Milliseconds(50);
    config.backoff_max = absl::Milliseconds(200);
    const security::TlsFiles files = Certificate("system:node:edge-1", "system:nodes");
    config.tls_ca = files.ca;
    config.tls_identity = files.cert;
    edge_ = std::make_unique<edgehub::EdgeHubApp>(config, clock_, log::Logger::Null());
    ASSERT_THAT(edge_->Start(), IsOk());
  }
  std::unique_ptr<Taker> AttachTaker() {
    auto stub = ev1::SpokeService::NewStub(
        *rpc::MakeChannel({.target = edge_->addresses().at("api"), .own_connection = true}));
    auto taker = std::make_unique<Taker>(
        [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); });
    ev1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("twin-svc");
    frame.mutable_register_()->add_command_types("devicemethods");
    taker->Send(frame);
    return taker;
  }
  // The key of the next one that the taker is asked for.
  static std::string AwaitKey(Taker& taker) {
    const auto frame = taker.Await([](const ev1::HubFrame& f) { return f.has_command_request(); });
    return frame.has_value() ? frame->command_request().key() : "(none)";
  }
  static void Answered(Taker& taker, const std::string& key, const std::string& response) {
    ev1::SpokeFrame frame;
    frame.mutable_command_done()->set_key(key);
    frame.mutable_command_done()->set_response(response);
    taker.Send(frame);
  }

  std::shared_ptr<Answer> Send(const std::string& key, Command::Delivery delivery,
                               absl::Duration queued = absl::ZeroDuration()) {
    cv1::SendCommandRequest request;
    request.set_node("edge-1");
    request.set_key(key);
    request.set_type("devicemethods");
    request.set_payload("open");
    request.set_delivery(delivery);
    auto answer = std::make_shared<Answer>();
    commands_.Send(std::move(request), {.total = absl::Seconds(50), .queued = queued},
                   [answer](absl::StatusOr<Command> command) { answer->Set(std::move(command)); });
    return answer;
  }
  // Until a hub says that it has it so.
  bool AwaitStage(size_t hub, const std::string& key, Command::Stage stage) {
    const absl::Time limit = absl::Now() + kTimeout;
    while (absl::Now() < limit) {
      grpc::ClientContext context;
      context.set_deadline(rpc::DeadlineIn(kTimeout));
      cv1::GetCommandRequest request;
      request.set_name(absl::StrCat("nodes/edge-1/commands/", key));
      Command command;
      const grpc::Status status =
          cv1::CommandService::NewStub(channels_[hub])->GetCommand(&context, request, &command);
      if (status.ok() && command.stage() == stage) return true;
    }
    return false;
  }

  SystemClock clock_;
  testing::TempDir dir_;
  std::unique_ptr<testing::LocalPostgres> postgres_;
  std::array<std::string, 2> link_ = {"127.0.0.1:0", "127.0.0.1:0"};
  std::array<std::string, 2> api_ = {"127.0.0.1:0", "127.0.0.1:0"};
  std::array<std::unique_ptr<cloudhub::CloudHubApp>, 2> hubs_;
  std::unique_ptr<edgehub::EdgeHubApp> edge_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  HubCommands commands_{clock_, log::Logger::Null()};
};

TEST_F(MethodCallTest, ACallFindsTheHubThatHasTheNode) {
  EXPECT_THAT(Send("a", Command::DELIVERY_NOW)->Await().status(), HasReason("NODE_NOT_CONNECTED"));
  EXPECT_THAT(commands_.Get("edge-1", "a", kTimeout).status(), HasReason("METHOD_CALL_UNKNOWN"));

  auto waits = Send("plant/pump/b", Command::DELIVERY_WAIT);
  EXPECT_TRUE(AwaitStage(0, "plant/pump/b", Command::STAGE_ACCEPTED));
  EXPECT_TRUE(AwaitStage(1, "plant/pump/b", Command::STAGE_ACCEPTED));
  StartEdge(1);
  std::unique_ptr<Taker> taker = AttachTaker();
  ASSERT_EQ(AwaitKey(*taker), "plant/pump/b");
  EXPECT_THAT(commands_.Cancel("edge-1", "plant/pump/b", kTimeout).status(),
              HasReason("COMMAND_SENT"));
  Answered(*taker, "plant/pump/b", "opened");
  const absl::StatusOr<Command> done = waits->Await();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->stage(), Command::STAGE_DONE);
  EXPECT_EQ(done->response(), "opened");
  // The other hub had been asked to cancel it, too.
  EXPECT_TRUE(AwaitStage(0, "plant/pump/b", Command::STAGE_CANCELLED));
  EXPECT_EQ(commands_.Get("edge-1", "plant/pump/b", kTimeout)->response(), "opened");

  auto now = Send("plant/pump/c", Command::DELIVERY_NOW);
  ASSERT_EQ(AwaitKey(*taker), "plant/pump/c");
  Answered(*taker, "plant/pump/c", "closed");
  ASSERT_THAT(now->Await(), IsOk());
  EXPECT_EQ(now->Await()->response(), "closed");
  const auto list = commands_.List("edge-1", "plant/pump/", kTimeout);
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->size(), 2u);
  for (const char* prefix : {"plant/pump/b", "plant/pumps/", "plant/pum/", "z"})
    EXPECT_THAT(*commands_.List("edge-1", prefix, kTimeout), IsEmpty()) << prefix;
  EXPECT_EQ((*list)[0].stage(), Command::STAGE_DONE) << "not as the hub that cancelled it says";
}

TEST_F(MethodCallTest, AHubThatDiesLosesNoCall) {
  StartEdge(1);
  std::unique_ptr<Taker> taker = AttachTaker();
  auto call = Send("a", Command::DELIVERY_WAIT);
  ASSERT_EQ(AwaitKey(*taker), "a");
  EXPECT_TRUE(AwaitStage(1, "a", Command::STAGE_STARTED));
  StopHub(1);
  Answered(*taker, "a", "opened");
  StartHub(1);
  const absl::StatusOr<Command> done = call->Await();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->stage(), Command::STAGE_DONE);
  EXPECT_EQ(done->response(), "opened");
  // It was executed once: the next that the taker hears of is another one.
  auto next = Send("b", Command::DELIVERY_WAIT);
  ASSERT_EQ(AwaitKey(*taker), "b");
  Answered(*taker, "b", "");
  EXPECT_THAT(next->Await(), IsOk());
}

TEST_F(MethodCallTest, WhatIsQueuedAtOneHubIsFollowedAtTheOther) {
  const absl::StatusOr<Command> queued = Send("a", Command::DELIVERY_QUEUE)->Await();
  ASSERT_THAT(queued, IsOk());
  EXPECT_EQ(queued->stage(), Command::STAGE_ACCEPTED);
  ASSERT_THAT(Send("b", Command::DELIVERY_QUEUE)->Await(), IsOk());
  EXPECT_EQ(commands_.Cancel("edge-1", "b", kTimeout)->stage(), Command::STAGE_CANCELLED);

  auto follows = Send("a", Command::DELIVERY_QUEUE, absl::Seconds(50));
  EXPECT_TRUE(AwaitStage(1, "a", Command::STAGE_ACCEPTED));
  StopHub(0);  // Which it was sent to.
  StartEdge(1);
  std::unique_ptr<Taker> taker = AttachTaker();
  ASSERT_EQ(AwaitKey(*taker), "a");
  Answered(*taker, "a", "opened");
  const absl::StatusOr<Command> done = follows->Await();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->response(), "opened");
  EXPECT_EQ(Send("a", Command::DELIVERY_QUEUE)->Await()->response(), "opened");
}

}  // namespace
}  // namespace skerry::e2e
