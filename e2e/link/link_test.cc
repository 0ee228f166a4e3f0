// cloudhub-svc and edgehub-svc as they are, over mutual TLS on loopback, between a controller and a
// spoke of the box that the test plays.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/link/v1/link.grpc.pb.h"
#include "e2e/link/peer.h"
#include "services/cloudhub-svc/app.h"
#include "services/edgehub-svc/app.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/security/tls.h"

namespace skerry::e2e {
namespace {

namespace cv1 = skerry::cloudhub::v1;
namespace ev1 = skerry::edgehub::v1;
namespace lv1 = skerry::link::v1;

using Controller = Peer<cv1::HubFrame, cv1::SpokeFrame>;
using Spoke = Peer<ev1::HubFrame, ev1::SpokeFrame>;

class LinkTest : public ::testing::Test {
 protected:
  LinkTest() {
    char name[] = "/tmp/skerry-link-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~LinkTest() override {
    if (edge_ != nullptr) edge_->Drain(absl::Now() + absl::Seconds(5));
    edge_ = nullptr;
    if (cloud_ != nullptr) cloud_->Drain(absl::Now() + absl::Seconds(5));
    cloud_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  // link_listen: "127.0.0.1:0", or where an earlier hub listened.
  void StartCloud(const std::string& link_listen = "127.0.0.1:0") {
    cloudhub::CloudHubConfig config;
    config.hub_name = "hub-1";
    config.state_dir = folder_ + "/cloudhub";
    config.link_listen = link_listen;
    config.api_listen = "127.0.0.1:0";
    config.join_listen = "127.0.0.1:0";
    config.drain_retry_after = absl::ZeroDuration();
    cloud_ = std::make_unique<cloudhub::CloudHubApp>(config, clock_, log::Logger::Null());
    absl::Status started = cloud_->Start();
    ASSERT_TRUE(started.ok()) << started;
    link_address_ = cloud_->addresses().at("link");
  }

  // The controller knows the node: what the node subscribes to from here on reaches it at once.
  std::unique_ptr<Controller> AttachAndMeetNode() {
    std::unique_ptr<Controller> controller = Attach();
    EXPECT_TRUE(controller->Await([](const cv1::HubFrame& f) { return f.has_node_connected(); })
                    .has_value());
    return controller;
  }

  // A certificate that the hub's CA signed, and its key, in one file.
  security::TlsFiles Certificate(const std::string& common_name, const std::string& organization) {
    const std::string file = absl::StrCat(folder_, "/", ++files_, ".pem");
    absl::StatusOr<std::unique_ptr<security::CertificateAuthority>> ca =
        security::CertificateAuthority::LoadOrCreate(folder_ + "/cloudhub/ca", "skerry-ca",
                                                     clock_.Now());
    EXPECT_TRUE(ca.ok()) << ca.status();
    security::CertificateSpec spec;
    spec.subject = {common_name, {organization}};
    spec.now = clock_.Now();
    spec.for_client = true;
    absl::StatusOr<security::CertificateAndKey> issued = (*ca)->Issue(spec);
    EXPECT_TRUE(issued.ok()) << issued.status();
    EXPECT_TRUE(
        security::WriteFileAtomically(file, issued->certificate_pem + issued->key_pem, 0600).ok());
    return {.ca = folder_ + "/cloudhub/ca/ca.crt", .cert = file, .key = file};
  }

  void StartEdge() {
    edgehub::EdgeHubConfig config;
    config.run_dir = folder_ + "/run";
    config.state_dir = folder_ + "/edge";
    config.cloud_address = link_address_;
    config.backoff_min = absl::Milliseconds(50);
    config.backoff_max = absl::Milliseconds(200);
    if (node_files_.cert.empty()) node_files_ = Certificate("system:node:edge-1", "system:nodes");
    config.tls_ca = node_files_.ca;
    config.tls_identity = node_files_.cert;
    edge_ = std::make_unique<edgehub::EdgeHubApp>(config, clock_, log::Logger::Null());
    absl::Status started = edge_->Start();
    ASSERT_TRUE(started.ok()) << started;
    EXPECT_TRUE(edge_->readiness().ready());
  }

  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address,
                                           const std::string& common_name,
                                           const std::string& organization) {
    return ChannelTo(address, Certificate(common_name, organization));
  }
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address,
                                           const security::TlsFiles& files) {
    rpc::ChannelOptions options;
    options.target = address;
    options.own_connection = true;
    options.credentials = *security::MutualTlsClient(files);
    return *rpc::MakeChannel(options);
  }

  std::unique_ptr<Controller> Attach() {
    auto stub = std::make_shared<std::unique_ptr<cv1::SpokeService::Stub>>(
        cv1::SpokeService::NewStub(ChannelTo(cloud_->addresses().at("api"),
                                             "system:edge-controller", "skerry:controllers")));
    auto controller = std::make_unique<Controller>(
        [&](auto* context, auto* reactor) { (*stub)->async()->Attach(context, reactor); });
    cv1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("edge-controller-svc/1");
    frame.mutable_register_()->add_resource_types("pods");
    frame.mutable_register_()->add_report_types("pods");
    controller->Send(frame);
    return controller;
  }

  std::unique_ptr<Spoke> AttachSpoke() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    options.own_connection = true;
    auto stub = ev1::SpokeService::NewStub(*rpc::MakeChannel(options));
    auto spoke = std::make_unique<Spoke>(
        [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); });
    ev1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("edge-meta-svc");
    frame.mutable_register_()->add_resource_types("pods");
    frame.mutable_register_()->add_report_types("pods");
    spoke->Send(frame);
    return spoke;
  }

  // The box answers the next request for a subscription; returns its id.
  uint64_t Subscribe(Spoke& spoke, const std::string& held_key = "",
                     const std::string& held_version = "") {
    auto request = spoke.Await([](const ev1::HubFrame& f) { return f.has_subscribe_request(); });
    EXPECT_TRUE(request.has_value());
    if (!request.has_value()) return 0;
    ev1::SpokeFrame frame;
    ev1::Subscribe* subscribe = frame.mutable_subscribe();
    subscribe->set_type("pods");
    subscribe->set_subscription_id(request->subscribe_request().subscription_id());
    if (!held_key.empty()) {
      lv1::Holding* holding = subscribe->add_holdings();
      holding->set_key(held_key);
      holding->set_version(held_version);
    }
    spoke.Send(frame);
    return request->subscribe_request().subscription_id();
  }

  cv1::Subscribed AwaitSubscribed(Controller& controller) {
    auto frame = controller.Await([](const cv1::HubFrame& f) { return f.has_subscribed(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->subscribed() : cv1::Subscribed();
  }

  void Push(Controller& controller, const cv1::Subscribed& to, const std::string& key,
            const std::string& version) {
    cv1::SpokeFrame frame;
    cv1::Push* push = frame.mutable_push();
    *push->mutable_session() = to.session();
    push->set_type(to.type());
    push->set_subscription_id(to.subscription_id());
    if (key.empty()) {
      push->mutable_synced();
    } else {
      push->mutable_upsert()->set_key(key);
      push->mutable_upsert()->set_version(version);
      push->mutable_upsert()->set_object("{}");
    }
    controller.Send(frame);
  }

  lv1::ResourceChange AwaitChange(Spoke& spoke) {
    auto frame = spoke.Await([](const ev1::HubFrame& f) { return f.has_resource(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->resource() : lv1::ResourceChange();
  }

  void Done(Spoke& spoke, const lv1::ResourceChange& change) {
    ev1::SpokeFrame frame;
    frame.mutable_resource_done()->set_type(change.type());
    frame.mutable_resource_done()->set_subscription_id(change.subscription_id());
    frame.mutable_resource_done()->set_sequence(change.sequence());
    spoke.Send(frame);
  }

  void PutReport(Spoke& spoke, uint64_t request_id, const std::string& value) {
    ev1::SpokeFrame frame;
    frame.mutable_put_report()->set_request_id(request_id);
    lv1::Report* report = frame.mutable_put_report()->mutable_report();
    report->set_type("pods");
    report->set_key("default/web");
    report->mutable_time()->set_wall_micros(static_cast<int64_t>(request_id));
    report->set_value(value);
    spoke.Send(frame);
    auto stored = spoke.Await([&](const ev1::HubFrame& f) {
      return f.has_report_stored() && f.report_stored().request_id() == request_id;
    });
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->report_stored().status().code(), 0);
  }

  cv1::NodeReport AwaitReport(Controller& controller) {
    auto frame = controller.Await([](const cv1::HubFrame& f) { return f.has_report(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->report() : cv1::NodeReport();
  }

  void ReportDone(Controller& controller, const cv1::NodeReport& report) {
    cv1::SpokeFrame frame;
    *frame.mutable_report_done()->mutable_session() = report.session();
    frame.mutable_report_done()->set_sequence(report.report().sequence());
    controller.Send(frame);
  }

  ev1::EdgeHubStatus EdgeStatus() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    auto stub = ev1::EdgeHubService::NewStub(*rpc::MakeChannel(options));
    ev1::EdgeHubStatus response;
    absl::Status status = rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
      return stub->GetStatus(context, ev1::GetStatusRequest(), &response);
    });
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  SystemClock clock_;
  std::string folder_;
  std::string link_address_;
  int files_ = 0;
  security::TlsFiles node_files_;
  std::unique_ptr<cloudhub::CloudHubApp> cloud_;
  std::unique_ptr<edgehub::EdgeHubApp> edge_;
};

TEST_F(LinkTest, AnObjectGoesDownAndAReportComesUp) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  std::unique_ptr<Spoke> spoke = AttachSpoke();

  auto registered = spoke->Await([](const ev1::HubFrame& f) { return f.has_registered(); });
  ASSERT_TRUE(registered.has_value());
  EXPECT_EQ(registered->registered().node(), "edge-1");
  Subscribe(*spoke, "default/old", "u1/1");

  cv1::Subscribed subscribed = AwaitSubscribed(*controller);
  EXPECT_EQ(subscribed.session().node(), "edge-1");
  ASSERT_EQ(subscribed.holdings_size(), 1);
  EXPECT_EQ(subscribed.holdings(0).key(), "default/old");
  EXPECT_EQ(subscribed.holdings(0).version(), "u1/1");

  Push(*controller, subscribed, "default/web", "u2/7");
  Push(*controller, subscribed, "", "");
  lv1::ResourceChange change = AwaitChange(*spoke);
  EXPECT_EQ(change.upsert().key(), "default/web");
  EXPECT_EQ(change.upsert().version(), "u2/7");
  EXPECT_EQ(change.sequence(), 1u);
  lv1::ResourceChange synced = AwaitChange(*spoke);
  EXPECT_TRUE(synced.has_synced());
  Done(*spoke, synced);
  auto done = controller->Await([](const cv1::HubFrame& f) { return f.has_push_done(); });
  ASSERT_TRUE(done.has_value());
  ASSERT_EQ(done->push_done().items_size(), 2);
  EXPECT_EQ(done->push_done().items(0).version(), "u2/7");
  EXPECT_EQ(done->push_done().items(0).status().code(), 0);

  PutReport(*spoke, 1, "Running");
  cv1::NodeReport report = AwaitReport(*controller);
  EXPECT_EQ(report.report().value(), "Running");
  ReportDone(*controller, report);

  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (EdgeStatus().journal().entries() > 0) ASSERT_LT(absl::Now(), deadline);
  ev1::EdgeHubStatus status = EdgeStatus();
  EXPECT_TRUE(status.link().connected());
  EXPECT_EQ(status.node(), "edge-1");
  ASSERT_EQ(status.types_size(), 1);
  EXPECT_TRUE(status.types(0).synced());
  EXPECT_EQ(status.types(0).spoke(), "edge-meta-svc");
}

// L1: the hub dies with a report in hand; the next hub gets it.
TEST_F(LinkTest, AReportSurvivesBothEnds) {
  StartCloud();
  StartEdge();
  {
    std::unique_ptr<Spoke> spoke = AttachSpoke();
    std::unique_ptr<Controller> controller = Attach();
    PutReport(*spoke, 1, "Pending");
    EXPECT_EQ(AwaitReport(*controller).report().value(), "Pending");
  }
  cloud_->Stop();
  cloud_ = nullptr;
  edge_->Stop();
  edge_ = nullptr;
  StartEdge();
  {
    std::unique_ptr<Spoke> spoke = AttachSpoke();
    PutReport(*spoke, 2, "Running");
  }
  StartCloud(link_address_);
  std::unique_ptr<Controller> controller = Attach();
  EXPECT_EQ(AwaitReport(*controller).report().value(), "Running");
}

// link-4.4: a controller that comes back gets to know what the node holds by then.
TEST_F(LinkTest, AControllerThatRestartsIsToldWhatTheNodeHolds) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  std::unique_ptr<Spoke> spoke = AttachSpoke();
  Subscribe(*spoke);
  cv1::Subscribed subscribed = AwaitSubscribed(*controller);
  Push(*controller, subscribed, "default/web", "u1/1");
  Done(*spoke, AwaitChange(*spoke));
  controller = nullptr;

  controller = Attach();
  Subscribe(*spoke, "default/web", "u1/1");
  cv1::Subscribed again = AwaitSubscribed(*controller);
  EXPECT_GT(again.subscription_id(), subscribed.subscription_id());
  ASSERT_EQ(again.holdings_size(), 1);
  EXPECT_EQ(again.holdings(0).version(), "u1/1");
}

// L2: the box was restarted, and its old connection is half-open.
TEST_F(LinkTest, ANewSessionFencesTheOld) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = Attach();
  const auto connected = [](const cv1::HubFrame& f) { return f.has_node_connected(); };
  auto first = controller->Await(connected);
  ASSERT_TRUE(first.has_value());

  auto stub = lv1::LinkService::NewStub(ChannelTo(link_address_, node_files_));
  Peer<lv1::CloudFrame, lv1::EdgeFrame> restarted(
      [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); });
  lv1::EdgeFrame hello;
  hello.mutable_hello()->set_protocol_version(1);
  hello.mutable_hello()->set_boot_id("restarted");
  restarted.Send(hello);
  auto gone = controller->Await([](const cv1::HubFrame& f) { return f.has_node_disconnected(); });
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->node_disconnected().reason(), "FENCED");
  EXPECT_EQ(gone->node_disconnected().session().epoch(), first->node_connected().session().epoch());
  auto second = controller->Await(connected);
  ASSERT_TRUE(second.has_value());
  EXPECT_GT(second->node_connected().session().epoch(), first->node_connected().session().epoch());
}

// cloudhub-1.6: a certificate of the node's name is not enough.
TEST_F(LinkTest, ANameBelongsToTheKeyThatLinkedFirst) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  auto stub =
      lv1::LinkService::NewStub(ChannelTo(link_address_, "system:node:edge-1", "system:nodes"));
  Peer<lv1::CloudFrame, lv1::EdgeFrame> impostor(
      [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); });
  lv1::EdgeFrame hello;
  hello.mutable_hello()->set_protocol_version(1);
  hello.mutable_hello()->set_boot_id("impostor");
  impostor.Send(hello);
  absl::Status refused = impostor.AwaitClosed();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(GetErrorInfo(refused).reason, "NODE_KEY_WRONG");
  EXPECT_TRUE(EdgeStatus().link().connected());
}

// L7: who is not a node can't be one, and a node can do nothing but link.
TEST_F(LinkTest, OnlyTheRightCertificateOpensEachDoor) {
  StartCloud();
  const std::string api = cloud_->addresses().at("api");
  {
    auto stub = lv1::LinkService::NewStub(
        ChannelTo(link_address_, "system:edge-controller", "skerry:controllers"));
    Peer<lv1::CloudFrame, lv1::EdgeFrame> peer(
        [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); });
    EXPECT_EQ(peer.AwaitClosed().code(), absl::StatusCode::kPermissionDenied);
  }
  {
    auto stub = cv1::SpokeService::NewStub(ChannelTo(api, "system:node:edge-1", "system:nodes"));
    Controller peer([&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); });
    EXPECT_EQ(peer.AwaitClosed().code(), absl::StatusCode::kPermissionDenied);
  }
  auto admin = cv1::AdminService::NewStub(ChannelTo(api, "system:node:edge-1", "system:nodes"));
  cv1::ListNodeSessionsResponse response;
  absl::Status refused = rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
    return admin->ListNodeSessions(context, cv1::ListNodeSessionsRequest(), &response);
  });
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(LinkTest, TheOperatorSeesTheSession) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = Attach();
  ASSERT_TRUE(
      controller->Await([](const cv1::HubFrame& f) { return f.has_node_connected(); }).has_value());
  auto admin = cv1::AdminService::NewStub(
      ChannelTo(cloud_->addresses().at("api"), "me", "skerry:operators"));
  cv1::ListNodeSessionsResponse response;
  absl::Status listed = rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
    return admin->ListNodeSessions(context, cv1::ListNodeSessionsRequest(), &response);
  });
  ASSERT_TRUE(listed.ok()) << listed;
  ASSERT_EQ(response.sessions_size(), 1);
  EXPECT_EQ(response.sessions(0).node(), "edge-1");
  EXPECT_GT(response.sessions(0).epoch(), 0u);
}

// A frame that breaks a rule ends the session, and says which rule.
TEST_F(LinkTest, AMalformedFrameIsAnsweredWithTheRuleItBreaks) {
  StartCloud();
  auto stub =
      lv1::LinkService::NewStub(ChannelTo(link_address_, "system:node:edge-1", "system:nodes"));
  Peer<lv1::CloudFrame, lv1::EdgeFrame> peer(
      [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); });
  peer.Send(lv1::EdgeFrame());
  absl::Status status = peer.AwaitClosed();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorInfo(status).reason, "PROTOCOL_VIOLATION");
  EXPECT_EQ(GetErrorInfo(status).metadata["rule"], "link-7.2");
}

// L9: a hub that drains moves its nodes, and its end is orderly.
TEST_F(LinkTest, ADrainingHubSaysSo) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = Attach();
  ASSERT_TRUE(
      controller->Await([](const cv1::HubFrame& f) { return f.has_node_connected(); }).has_value());
  cloud_->Drain(absl::Now() + absl::Seconds(5));
  auto gone = controller->Await([](const cv1::HubFrame& f) { return f.has_node_disconnected(); });
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->node_disconnected().reason(), "DRAINING");
  absl::Status ended = controller->AwaitClosed();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(ended).reason, "DRAINING");
  cloud_ = nullptr;
  StartCloud(link_address_);
  controller = Attach();
  EXPECT_TRUE(
      controller->Await([](const cv1::HubFrame& f) { return f.has_node_connected(); }).has_value());
}

}  // namespace
}  // namespace skerry::e2e
