// A hub that is one of several: what the others and the store that they share do to its sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/sessions/session_hub_fixture.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using testing::FakeSpoke;
using ::testing::UnorderedElementsAre;
using SessionHubReplicasTest = SessionHubTest;

// link-2.7: another replica admits the node.
TEST_F(SessionHubReplicasTest, ASessionEndsWhenAnotherReplicaHasANewerOne) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, spoke);
  Node node = Connect("edge-1");
  const uint64_t epoch = node.link->TakeEpoch();
  spoke->Take();
  hub_->FenceBelow(*NodeName::Parse("edge-1"), epoch);
  Settle();
  EXPECT_FALSE(node.link->closed().has_value()) << "its own";
  hub_->FenceBelow(*NodeName::Parse("edge-1"), epoch + 1);
  Settle();
  EXPECT_EQ(GetErrorInfo(*node.link->closed()).reason, "SESSION_FENCED");
  EXPECT_THAT(spoke->Take(), ElementsAre("NodeDisconnected edge-1"));
  EXPECT_TRUE(SessionNodes().empty());
}

TEST_F(SessionHubReplicasTest, WhatAnotherReplicaFencedMeanwhileGetsNoSession) {
  Node node = Connect("edge-1");
  const uint64_t epoch = node.link->TakeEpoch();
  hanging_.Hang(true);
  Node fenced = Dial("edge-1");
  hanging_.AwaitAsked(2);
  hub_->FenceBelow(*NodeName::Parse("edge-1"), epoch + 1000);
  hub_->Sessions();
  hanging_.Hang(false);
  Settle();
  EXPECT_EQ(GetErrorInfo(*fenced.link->closed()).reason, "SESSION_FENCED");
  EXPECT_TRUE(fenced.link->Take().empty());
  EXPECT_TRUE(SessionNodes().empty());
}

// cloudhub-1.9
TEST_F(SessionHubReplicasTest, AStoreThatHangsDelaysNoOpenSession) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, spoke);
  Node node = Connect("edge-1");
  spoke->Take();
  hanging_.Hang(true);
  Node waits = Dial("edge-2");
  hub_->Frame(node.connection, link::Report{1, "pods", "default/a", 0, {}, "v"}, [] {});
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-1"));
  EXPECT_THAT(spoke->Take(), ElementsAre("NodeReport edge-1"));
  hanging_.Hang(false);
  Settle();
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-1", "edge-2"));
}

// cloudhub-1.9: and who has gone meanwhile is not asked for.
TEST_F(SessionHubReplicasTest, WhatWaitedForAStoreThatHungIsRefused) {
  hanging_.Hang(true);
  Node stuck = Dial("edge-1");
  hanging_.AwaitAsked(1);
  Node gone = Dial("edge-1");
  Node waits = Dial("edge-1");
  hub_->Sessions();
  clock_.Advance(absl::Seconds(11));
  hanging_.Hang(false);
  Settle();
  EXPECT_EQ(hanging_.asked(), 1);
  EXPECT_EQ(GetErrorInfo(*stuck.link->closed()).reason, "SESSION_FENCED");
  EXPECT_EQ(GetErrorInfo(*gone.link->closed()).reason, "SESSION_FENCED");
  ASSERT_TRUE(waits.link->closed().has_value());
  EXPECT_EQ(GetErrorInfo(*waits.link->closed()).reason, "STORE_FAILED");
  std::vector<link::CloudFrame> frames = waits.link->Take();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(std::get<link::GoAway>(frames[0]).reason, "OVERLOADED");
}

// A node that an operator has disabled meanwhile, whatever the gate knew.
TEST_F(SessionHubReplicasTest, ADisabledNodeIsNotAdmitted) {
  auto store = *SqliteTokenStore::Open(folder_.File("tokens.db"), true);
  Connect("edge-1");
  ASSERT_TRUE(store->SetDisabled(*NodeName::Parse("edge-1"), true).ok());
  Node node = Connect("edge-1");
  EXPECT_EQ(GetErrorInfo(*node.link->closed()).reason, "NODE_DISABLED");
  EXPECT_NE(registry_.Render().find("skerry_cloudhub_refusals_total{reason=\"DISABLED\"} 1"),
            std::string::npos);
}

// cloudhub-3.4, L9
TEST_F(SessionHubReplicasTest, ADrainMovesNodesOneAfterTheOther) {
  auto spoke = std::make_shared<FakeSpoke>();
  hub_->Attach("edge-controller-svc/1", {"pods"}, {"pods"}, spoke);
  std::map<std::string, Node> nodes;
  std::map<std::string, uint64_t> epochs;
  for (const char* name : {"edge-1", "edge-2", "edge-3"}) {
    nodes[name] = Connect(name);
    epochs[name] = nodes[name].link->TakeEpoch();
  }
  hub_->StartDrain(0.5);  // A node each 2 s, over two shards: one of each at first.
  Settle();
  HubState state = hub_->State();
  EXPECT_TRUE(state.draining);
  EXPECT_GE(state.sessions, 1);
  EXPECT_EQ(state.sessions + state.moving, 3);
  Node late = Connect("edge-4");
  EXPECT_EQ(std::get<link::GoAway>(late.link->Take()[0]).reason, "DRAINING");
  hub_->Closed(late.connection);

  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(6));
    Settle();
  }
  EXPECT_EQ(hub_->State().sessions, 0);
  EXPECT_THAT(hub_->State().moving_nodes, UnorderedElementsAre("edge-1", "edge-2", "edge-3"));
  for (auto& [name, node] : nodes) {
    const link::CloudFrame last = node.link->Take().back();
    EXPECT_EQ(std::get<link::GoAway>(last).reason, "DRAINING");
    EXPECT_EQ(std::get<link::GoAway>(last).retry_after, absl::ZeroDuration());
    // What the database says again of the session that it had here moves nothing.
    hub_->FenceBelow(*NodeName::Parse(name), epochs[name]);
    hub_->Closed(node.connection);
  }
  EXPECT_FALSE(spoke->closed().has_value()) << "the controller stays";
  EXPECT_EQ(hub_->State().moving, 3);
  hub_->FenceBelow(*NodeName::Parse("edge-1"), epochs["edge-1"] + 1);
  EXPECT_EQ(hub_->State().moving, 2);

  hub_->StopDrain();
  Settle();
  EXPECT_FALSE(hub_->State().draining);
  Connect("edge-2");
  EXPECT_THAT(SessionNodes(), ElementsAre("edge-2"));
}

TEST_F(SessionHubReplicasTest, WhatIsBeingAdmittedWhenADrainBeginsIsRefused) {
  hanging_.Hang(true);
  Node node = Dial("edge-1");
  hanging_.AwaitAsked(1);
  hub_->StartDrain(50);
  hub_->Sessions();
  hanging_.Hang(false);
  Settle();
  EXPECT_EQ(std::get<link::GoAway>(node.link->Take()[0]).reason, "DRAINING");
  EXPECT_TRUE(SessionNodes().empty());
}

}  // namespace
}  // namespace skerry::cloudhub
