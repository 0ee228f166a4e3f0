// cloudhub-svc and edgehub-svc as they are, over mutual TLS on loopback, between a controller and a
// spoke of the box that the test plays.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "e2e/link/link_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/link/frames.h"
#include "services/lib/rpc/channel.h"

namespace skerry::e2e {
namespace {

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

// link-12.1: in chunks, both ways. What is above the window is to be acknowledged first (link-4.7).
TEST_F(LinkTest, TheLargestObjectAndTheLargestReportArriveWhole) {
  std::string largest(link::kObjectBytesMax, ' ');
  for (size_t i = 0; i < largest.size(); ++i) largest[i] = static_cast<char>('a' + i / 1000 % 26);
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  std::unique_ptr<Spoke> spoke = AttachSpoke();
  Subscribe(*spoke);
  cv1::Subscribed subscribed = AwaitSubscribed(*controller);
  Push(*controller, subscribed, "default/large", "u1/1", largest);
  Push(*controller, subscribed, "default/small", "u2/1");
  PutReport(*spoke, 1, largest);
  lv1::ResourceChange change = AwaitChange(*spoke);
  EXPECT_TRUE(change.upsert().object() == largest);
  Done(*spoke, change);
  change = AwaitChange(*spoke);
  EXPECT_EQ(change.upsert().key(), "default/small");
  EXPECT_EQ(change.sequence(), 2u);
  EXPECT_TRUE(AwaitReport(*controller).report().value() == largest);
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
