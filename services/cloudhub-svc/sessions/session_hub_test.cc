#include "services/cloudhub-svc/sessions/session_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/sessions/session_hub_fixture.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FakeNode;
using testing::FakeSpoke;
using testing::FakeTunnelUser;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST_F(SessionHubTest, ASpokeLearnsOfEveryNodeAndThenThatItKnowsAll) {
  Connect("edge-1");
  Connect("edge-2");
  Connect("edge-3");
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, spoke);
  Settle();
  std::vector<std::string> heard = spoke->Take();
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard.back(), "NodesSynced");
  heard.pop_back();
  EXPECT_THAT(heard, UnorderedElementsAre("NodeConnected edge-1", "NodeConnected edge-2",
                                          "NodeConnected edge-3"));
}

// link-2.2
TEST_F(SessionHubTest, ANewSessionOfANodeEndsTheOldFirst) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, spoke);
  Node old_session = Connect("edge-1");
  const uint64_t old_epoch = old_session.link->TakeEpoch();
  spoke->Take();

  Node new_session = Connect("edge-1");
  EXPECT_THAT(spoke->Take(), ElementsAre("NodeDisconnected edge-1", "NodeConnected edge-1"));
  ASSERT_TRUE(old_session.link->closed().has_value());
  EXPECT_EQ(GetErrorInfo(*old_session.link->closed()).reason, "SESSION_FENCED");
  EXPECT_GT(new_session.link->TakeEpoch(), old_epoch);
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-1"));

  // The old transport's end is no end of the new session.
  hub_->Closed(old_session.connection);
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-1"));
  Frame(old_session, link::Report{1, "pods", "default/a", 0, {}, "stale"});
  EXPECT_TRUE(spoke->Take().empty());
}

// cloudhub-1.6
TEST_F(SessionHubTest, ABoxWithAnotherKeyIsRefusedAndTheSessionStays) {
  Node node = Connect("edge-1");
  Node impostor = Connect("edge-1", "another key");
  ASSERT_TRUE(impostor.link->closed().has_value());
  EXPECT_EQ(impostor.link->closed()->code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(GetErrorInfo(*impostor.link->closed()).reason, "NODE_KEY_WRONG");
  EXPECT_TRUE(impostor.link->Take().empty());
  EXPECT_FALSE(node.link->closed().has_value());
  EXPECT_NE(registry_.Render().find("skerry_cloudhub_refusals_total{reason=\"NODE_KEY_WRONG\"} 1"),
            std::string::npos);
}

// link-2.6, cloudhub-1.8
TEST_F(SessionHubTest, ACopyOfABoxIsRefusedAndTheBoxComesBack) {
  Node box = Connect("edge-1", "key", "box");
  const uint64_t common = StoreEpoch(box);
  Node copy = Connect("edge-1", "key", "copy", common);
  const uint64_t of_copy = StoreEpoch(copy);
  EXPECT_EQ(GetErrorInfo(*box.link->closed()).reason, "SESSION_FENCED");
  box = Connect("edge-1", "key", "box", common);
  StoreEpoch(box);
  EXPECT_EQ(GetErrorInfo(*copy.link->closed()).reason, "SESSION_FENCED");

  copy = Connect("edge-1", "key", "copy", of_copy);
  ASSERT_TRUE(copy.link->closed().has_value());
  EXPECT_EQ(copy.link->closed()->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(GetErrorInfo(*copy.link->closed()).reason, "NODE_CLONED");
  EXPECT_TRUE(copy.link->Take().empty());
  EXPECT_FALSE(box.link->closed().has_value());
  EXPECT_NE(registry_.Render().find("skerry_cloudhub_refusals_total{reason=\"NODE_CLONED\"} 1"),
            std::string::npos);
}

TEST_F(SessionHubTest, EndsWhatANodeHasOpen) {
  Node one = Connect("edge-1");
  Node two = Connect("edge-2");
  hub_->End(*NodeName::Parse("edge-1"), absl::PermissionDeniedError("disabled"));
  hub_->End(*NodeName::Parse("edge-9"), absl::PermissionDeniedError("disabled"));
  Settle();
  EXPECT_EQ(one.link->closed(), absl::PermissionDeniedError("disabled"));
  EXPECT_FALSE(two.link->closed().has_value());
  hub_->Closed(one.connection);
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-2"));
}

// link-2.3
TEST_F(SessionHubTest, WhatASpokeSaysToAnEarlierSessionIsDroppedAndCounted) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, spoke);
  Node node = Connect("edge-1");
  const uint64_t epoch = node.link->TakeEpoch();
  Frame(node, link::Subscribe{"pods", 1, {}, false});
  const link::cloud::Push push{
      id, "pods", 1, {link::Change::Kind::kUpsert, "default/a", "1", "{}"}};
  int done = 0;
  hub_->ToNode("edge-1", epoch - 1, push, [&] { ++done; });
  hub_->ToNode("edge-9", epoch, push, [&] { ++done; });
  Settle();
  EXPECT_EQ(done, 2);
  EXPECT_TRUE(node.link->Take().empty());
  EXPECT_NE(
      registry_.Render().find("skerry_cloudhub_dropped_frames_total{reason=\"stale_epoch\"} 2"),
      std::string::npos);
  hub_->ToNode("edge-1", epoch, push, [] {});
  Settle();
  EXPECT_EQ(node.link->Take().size(), 1u);
}

TEST_F(SessionHubTest, ANewOwnerEndsTheFormerAndTakesOver) {
  auto first = std::make_shared<FakeSpoke>();
  auto second = std::make_shared<FakeSpoke>();
  auto other = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, first);
  hub_->Attach("device-controller-svc/1", {"devices.devices.kubeedge.io"}, {}, other);
  Node node = Connect("edge-1");
  hub_->Attach("edge-controller-svc/2", {"pods"}, {"pods"}, second);
  Settle();
  ASSERT_TRUE(first->closed().has_value());
  EXPECT_EQ(GetErrorInfo(*first->closed()).reason, "SPOKE_REPLACED");
  EXPECT_FALSE(other->closed().has_value());
  first->Take();
  Frame(node, link::Report{1, "pods", "default/a", 0, {}, "v"});
  EXPECT_TRUE(first->Take().empty());
  EXPECT_THAT(second->Take(), Contains("NodeReport edge-1"));
}

TEST_F(SessionHubTest, TooManyConnectionsAreRefused) {
  for (int i = 0; i < 4; ++i) Connect(absl::StrCat("edge-", i));
  absl::StatusOr<SessionHub::Connection> refused =
      hub_->Open(Box("edge-9"), "", std::make_shared<FakeNode>());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(refused.status()).reason, "OVERLOADED");
}

// link-3.3, and that a connection which never says Hello does not stay.
TEST_F(SessionHubTest, SilentConnectionsEnd) {
  Node node = Connect("edge-1");
  auto mute = std::make_shared<FakeNode>();
  ASSERT_TRUE(hub_->Open(Box("edge-2"), "", mute).ok());
  Settle();
  clock_.Advance(absl::Seconds(11));
  Settle();
  ASSERT_TRUE(mute->closed().has_value());
  EXPECT_EQ(GetErrorInfo(*mute->closed()).reason, "HELLO_TIMEOUT");
  EXPECT_FALSE(node.link->closed().has_value());
  clock_.Advance(absl::Seconds(22));
  Settle();
  ASSERT_TRUE(node.link->closed().has_value());
  EXPECT_EQ(GetErrorInfo(*node.link->closed()).reason, "HEARTBEAT_LOST");
  EXPECT_TRUE(SessionNodes().empty());
  // Two intervals and what the clock went further; the mute one was no node yet.
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_cloudhub_detection_seconds_sum{reason=\"HEARTBEAT_LOST\"} 33\n"));
}

TEST_F(SessionHubTest, NodesThatAreGoneAreCountedByHowLongTheyWereSilent) {
  Node gone = Connect("edge-1");
  Connect("edge-2");
  clock_.Advance(absl::Seconds(7));
  hub_->Closed(gone.connection);
  Settle();
  Connect("edge-2");  // It had not been missed.
  hub_->Drain(absl::Seconds(1));
  Settle();
  const std::string metrics = registry_.Render();
  for (const char* reason : {"CLOSED", "FENCED"}) {
    const std::string labels = absl::StrCat("{reason=\"", reason, "\"}");
    EXPECT_THAT(metrics,
                HasSubstr(absl::StrCat("skerry_cloudhub_detection_seconds_sum", labels, " 7\n")));
    EXPECT_THAT(metrics,
                HasSubstr(absl::StrCat("skerry_cloudhub_detection_seconds_count", labels, " 1\n")));
  }
}

// link-1.5
TEST_F(SessionHubTest, ANodeHasOneConnectionWithoutASession) {
  Node node = Connect("edge-1");
  auto first = std::make_shared<FakeNode>();
  auto second = std::make_shared<FakeNode>();
  ASSERT_TRUE(hub_->Open(Box("edge-1"), "", first).ok());
  ASSERT_TRUE(hub_->Open(Box("edge-1"), "", second).ok());
  Settle();
  EXPECT_TRUE(first->closed().has_value());
  EXPECT_FALSE(second->closed().has_value());
  // The session stays until another is admitted.
  EXPECT_FALSE(node.link->closed().has_value());
}

// L9
TEST_F(SessionHubTest, ADrainMovesTheNodesAndRefusesNewOnes) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {}, spoke);
  Node node = Connect("edge-1");
  hub_->Drain(absl::Seconds(1));
  EXPECT_THAT(spoke->Take(), Contains("NodeDisconnected edge-1"));
  EXPECT_EQ(GetErrorInfo(*spoke->closed()).reason, "DRAINING");
  std::vector<link::CloudFrame> frames = node.link->Take();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(std::get<link::GoAway>(frames.back()).reason, "DRAINING");
  Node late = Connect("edge-2");
  frames = late.link->Take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(std::get<link::GoAway>(frames[0]).reason, "DRAINING");
}

// link-11.1, link-11.2
TEST_F(SessionHubTest, NodesAreLetInInTheirOrderAsOthersGetDone) {
  StartHub(1);
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-controller-svc/1", {"pods"}, {}, spoke);
  Node first = Connect("edge-1");
  const uint64_t epoch = first.link->TakeEpoch();
  Frame(first, link::Subscribe{"pods", 1, {}, false});
  Node second = Connect("edge-2");
  Node third = Connect("edge-3");
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-1"));
  clock_.Advance(absl::Seconds(2));
  Sync(first, "edge-1", epoch, id, 1);
  EXPECT_NE(registry_.Render().find("skerry_cloudhub_sync_seconds_sum 2\n"), std::string::npos);
  EXPECT_NE(second.link->TakeEpoch(), 0u);
  EXPECT_EQ(third.link->TakeEpoch(), 0u);
  // One that never gets done holds its place for ten seconds; who waits for five is sent away.
  Frame(second, link::Subscribe{"pods", 1, {}, false});
  clock_.Advance(absl::Seconds(6));
  Settle();
  std::vector<link::CloudFrame> frames = third.link->Take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(std::get<link::GoAway>(frames[0]).reason, "OVERLOADED");
  EXPECT_GT(std::get<link::GoAway>(frames[0]).retry_after, absl::ZeroDuration());
  hub_->Closed(third.connection);
  third = Connect("edge-3");
  clock_.Advance(absl::Milliseconds(4500));
  Settle();
  EXPECT_NE(third.link->TakeEpoch(), 0u);
  const std::string metrics = registry_.Render();
  EXPECT_NE(metrics.find("skerry_cloudhub_sync_overruns_total 1"), std::string::npos);
  EXPECT_NE(metrics.find("skerry_cloudhub_refusals_total{reason=\"OVERLOADED\"} 1"),
            std::string::npos);
}

// link-11.4: a controller that attaches does not have all nodes sync at once.
TEST_F(SessionHubTest, ANewControllerGetsTheNodesInTurn) {
  StartHub(1);
  std::vector<Node> nodes = {Connect("edge-1"), Connect("edge-2")};
  std::vector<uint64_t> epochs;
  for (Node& node : nodes) {
    Frame(node, link::Subscribe{"pods", 1, {}, false});
    epochs.push_back(node.link->TakeEpoch());
    EXPECT_NE(epochs.back(), 0u);
  }
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-controller-svc/1", {"pods"}, {}, spoke);
  Settle();
  std::vector<size_t> asked = {nodes[0].link->Take().size(), nodes[1].link->Take().size()};
  EXPECT_THAT(asked, UnorderedElementsAre(0u, 1u));
  const size_t first = asked[0] == 1 ? 0 : 1;
  Frame(nodes[first], link::Subscribe{"pods", 2, {}, false});
  EXPECT_TRUE(nodes[1 - first].link->Take().empty());
  Sync(nodes[first], absl::StrCat("edge-", first + 1), epochs[first], id, 2);
  EXPECT_EQ(nodes[1 - first].link->Take().size(), 1u);
}

// link-11.5
TEST_F(SessionHubTest, ANodeThatDialsInALoopIsRefusedAndKeepsItsSession) {
  Node hostile;
  for (int i = 0; i < 60; ++i) {
    if (hostile.connection.shard != nullptr) hub_->Closed(hostile.connection);
    hostile = Connect("edge-1");
  }
  for (int i = 0; i < 10; ++i) {
    const absl::Status refused =
        hub_->Open(Box("edge-1"), "", std::make_shared<FakeNode>()).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(GetErrorInfo(refused).reason, "DIALS_TOO_OFTEN");
  }
  EXPECT_NE(Connect("edge-2").link->TakeEpoch(), 0u);
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-1", "edge-2"));
  EXPECT_NE(
      registry_.Render().find("skerry_cloudhub_refusals_total{reason=\"DIALS_TOO_OFTEN\"} 10"),
      std::string::npos);
  clock_.Advance(absl::Seconds(1));
  EXPECT_NE(Connect("edge-1").link->TakeEpoch(), 0u);
}

// The gauge of unsent bytes comes back to zero with the session.
TEST_F(SessionHubTest, UnsentBytesAreCountedAndForgotten) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = hub_->Attach("edge-controller-svc/1", {"pods"}, {}, spoke);
  Node node = Connect("edge-1");
  const uint64_t epoch = node.link->TakeEpoch();
  Frame(node, link::Subscribe{"pods", 1, {}, false});
  for (int i = 0; i < 3; ++i) {
    hub_->ToNode("edge-1", epoch,
                 link::cloud::Push{id,
                                   "pods",
                                   1,
                                   {link::Change::Kind::kUpsert, absl::StrCat("default/", i), "1",
                                    std::string(1000000, 'x')}},
                 [] {});
  }
  ASSERT_EQ(hub_->Sessions().size(), 1u);
  EXPECT_GT(hub_->Sessions()[0].pending_bytes, 900000);
  hub_->Closed(node.connection);
  Settle();
  EXPECT_NE(registry_.Render().find("skerry_cloudhub_unsent_bytes 0"), std::string::npos);
}

// link-13.1
TEST_F(SessionHubTest, CompressionIsCounted) {
  const link::SpokeId id =
      hub_->Attach("edge-controller-svc/1", {"pods"}, {}, std::make_shared<FakeSpoke>());
  Node node{{}, std::make_shared<FakeNode>()};
  node.connection = *hub_->Open(Box("edge-1"), "ipv4:127.0.0.1:1", node.link);
  link::Hello hello{1, "boot", "journal", "v1", 0};
  hello.accepts_deflate = true;
  Frame(node, std::move(hello));
  const uint64_t epoch = node.link->TakeEpoch();
  Frame(node, link::Subscribe{"pods", 1, {}, false});
  hub_->ToNode(
      "edge-1", epoch,
      link::cloud::Push{
          id, "pods", 1, {link::Change::Kind::kUpsert, "default/a", "1", std::string(2500, 'x')}},
      [] {});
  Settle();
  const std::vector<link::CloudFrame> sent = node.link->Take();
  ASSERT_EQ(sent.size(), 1u);
  const auto* compressed = std::get_if<link::Compressed>(&sent[0]);
  ASSERT_NE(compressed, nullptr);
  const std::string name = "skerry_cloudhub_link_compressed_bytes_total{direction=\"down\",form=";
  EXPECT_NE(registry_.Render().find(absl::StrCat(name, "\"plain\"} ", compressed->size, "\n")),
            std::string::npos);
  EXPECT_NE(registry_.Render().find(
                absl::StrCat(name, "\"compressed\"} ", compressed->bytes.size(), "\n")),
            std::string::npos);
}

// link-8.2, link-8.6, link-8.7: a user's tunnel, from its opening to the end of the session.
TEST_F(SessionHubTest, ATunnelGoesToTheNodesSessionAndEndsWithIt) {
  auto early = std::make_shared<FakeTunnelUser>();
  hub_->OpenTunnel("edge-1", "kubelet", "", early);
  Settle();
  EXPECT_EQ(early->ended_reason(), "NODE_NOT_CONNECTED");

  Node node = Connect("edge-1");
  node.link->Take();
  auto user = std::make_shared<FakeTunnelUser>();
  const auto input = hub_->OpenTunnel("edge-1", "kubelet", "", user);
  input(link::tunnel::Bytes{"hello"});
  Settle();
  std::vector<link::CloudFrame> frames = node.link->Take();
  ASSERT_EQ(frames.size(), 1u);
  const uint64_t id = std::get<link::TunnelOpen>(frames[0]).id;
  Frame(node, link::TunnelAccept{id, 100});
  frames = node.link->Take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(std::get<link::TunnelData>(frames[0]).bytes, "hello");
  Frame(node, link::TunnelData{id, "world"});
  EXPECT_EQ(user->received(), "world");
  EXPECT_EQ(user->taken(), 1);

  hub_->Closed(node.connection);
  Settle();
  EXPECT_EQ(user->ended_reason(), "TUNNEL_LINK_LOST");
  EXPECT_NE(registry_.Render().find("skerry_cloudhub_tunnels 0"), std::string::npos);
}

// A user that goes ends its tunnel, and hears no more.
TEST_F(SessionHubTest, AUserThatGoesEndsItsTunnel) {
  Node node = Connect("edge-1");
  node.link->Take();
  auto user = std::make_shared<FakeTunnelUser>();
  const auto input = hub_->OpenTunnel("edge-1", "kubelet", "", user);
  input(link::tunnel::End{absl::CancelledError("gone")});
  input(link::tunnel::Bytes{"late"});
  Settle();
  std::vector<link::CloudFrame> frames = node.link->Take();
  ASSERT_EQ(frames.size(), 2u);
  const auto& close = std::get<link::TunnelClose>(frames[1]);
  EXPECT_FALSE(close.half_close);
  Frame(node, link::TunnelAccept{close.id, 100});
  EXPECT_EQ(user->ended_reason(), "");
  EXPECT_TRUE(node.link->Take().empty());
}

}  // namespace
}  // namespace skerry::cloudhub
