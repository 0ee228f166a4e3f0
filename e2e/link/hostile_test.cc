// One hostile node among others: whatever it does, their sessions stay and every push of theirs
// arrives (L4), and they get in although it holds on to what it can (L5). All over mutual TLS.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "e2e/link/link_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/tls.h"

namespace skerry::e2e {
namespace {

using NodePeer = Peer<lv1::CloudFrame, lv1::EdgeFrame>;

constexpr int kNodes = 12;

class HostileTest : public LinkTest {
 protected:
  // Fewer nodes at a time may sync than there are: the hostile one has half of the places.
  HostileTest() { syncs_max_ = 2; }

  struct Node {
    std::unique_ptr<NodePeer> peer;
    uint64_t last_sequence = 0;
  };

  std::shared_ptr<grpc::Channel> ChannelOf(const std::string& node) {
    rpc::ChannelOptions options;
    options.target = link_address_;
    options.own_connection = true;
    options.message_bytes_max = 8 << 20;  // More than the hub takes.
    options.credentials =
        *security::MutualTlsClient(Certificate(absl::StrCat("system:node:", node), "system:nodes"));
    return *rpc::MakeChannel(options);
  }
  static std::unique_ptr<NodePeer> Dial(const std::shared_ptr<grpc::Channel>& channel) {
    auto stub = std::make_shared<std::unique_ptr<lv1::LinkService::Stub>>(
        lv1::LinkService::NewStub(channel));
    auto peer = std::make_unique<NodePeer>(
        [&](auto* context, auto* reactor) { (*stub)->async()->Connect(context, reactor); });
    lv1::EdgeFrame hello;
    hello.mutable_hello()->set_protocol_version(1);
    hello.mutable_hello()->set_boot_id("boot");
    hello.mutable_hello()->set_journal_id("journal");
    peer->Send(hello);
    return peer;
  }
  static void Subscribe(NodePeer& peer) {
    EXPECT_TRUE(peer.Await([](const lv1::CloudFrame& f) { return f.has_welcome(); }).has_value());
    lv1::EdgeFrame frame;
    frame.mutable_subscribe()->set_type("pods");
    frame.mutable_subscribe()->set_subscription_id(1);
    peer.Send(frame);
  }
  static void Ack(Node& node) {
    lv1::EdgeFrame frame;
    frame.mutable_resource_ack()->set_type("pods");
    frame.mutable_resource_ack()->set_subscription_id(1);
    frame.mutable_resource_ack()->set_sequence(node.last_sequence);
    node.peer->Send(frame);
  }
  // The next change for the node, which acknowledges it: "key@version", or "synced".
  static std::string Take(Node& node) {
    auto frame = node.peer->Await([](const lv1::CloudFrame& f) { return f.has_resource(); });
    if (!frame.has_value()) return "nothing";
    const lv1::ResourceChange& change = frame->resource();
    EXPECT_EQ(change.sequence(), ++node.last_sequence);
    Ack(node);
    if (change.has_synced()) return "synced";
    return absl::StrCat(change.upsert().key(), "@", change.upsert().version());
  }

  // The cloud, the hostile node that has subscribed, and then the others, each in sync.
  void StartAll() {
    StartCloud();
    controller_ = Attach();
    hostile_channel_ = ChannelOf("hostile");
    hostile_ = Dial(hostile_channel_);
    Subscribe(*hostile_);
    hostile_subscribed_ = AwaitSubscribed(*controller_);
    EXPECT_EQ(hostile_subscribed_.session().node(), "hostile");
    for (int i = 0; i < kNodes; ++i) {
      const std::string name = absl::StrCat("good-", i);
      Node& node = nodes_[name];
      node.peer = Dial(ChannelOf(name));
      Subscribe(*node.peer);
      subscribed_[name] = AwaitSubscribed(*controller_);
      EXPECT_EQ(subscribed_[name].session().node(), name);
      Push(*controller_, subscribed_[name], "", "");
      EXPECT_EQ(Take(node), "synced");
    }
  }

  // Everybody but the hostile node gets a push, in the session that it has had all the while.
  void ExpectUnharmed(const std::string& after) {
    SCOPED_TRACE(after);
    const std::string version = absl::StrCat(++version_);
    for (const auto& [name, subscribed] : subscribed_) {
      Push(*controller_, subscribed, "default/p", version);
    }
    for (auto& [name, node] : nodes_) EXPECT_EQ(Take(node), "default/p@" + version) << name;
    std::set<std::string> done;
    while (done.size() < nodes_.size()) {
      auto frame = controller_->Await([&](const cv1::HubFrame& f) {
        return f.has_push_done() && f.push_done().session().node() != "hostile";
      });
      ASSERT_TRUE(frame.has_value());
      for (const auto& item : frame->push_done().items()) {
        if (item.version() == version) done.insert(frame->push_done().session().node());
      }
    }
  }

  std::unique_ptr<Controller> controller_;
  std::shared_ptr<grpc::Channel> hostile_channel_;
  std::unique_ptr<NodePeer> hostile_;
  cv1::Subscribed hostile_subscribed_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, cv1::Subscribed> subscribed_;
  int version_ = 0;
};

TEST_F(HostileTest, ANodeThatNeverAcknowledgesDelaysNobody) {
  StartAll();
  cv1::SpokeFrame frame;
  cv1::Push* push = frame.mutable_push();
  *push->mutable_session() = hostile_subscribed_.session();
  push->set_type("pods");
  push->set_subscription_id(1);
  push->mutable_upsert()->set_object(std::string(1 << 20, 'x'));
  push->mutable_upsert()->set_version("1");
  for (int i = 0; i < 25; ++i) {  // More than the hub keeps for a node.
    push->mutable_upsert()->set_key(absl::StrCat("default/", i));
    controller_->Send(frame);
    if (i % 5 == 4) ExpectUnharmed(absl::StrCat(i, " MiB that are not acknowledged"));
  }
}

TEST_F(HostileTest, GarbageAndHugeFramesEndNothingButTheirOwnSession) {
  StartAll();
  hostile_->Send(lv1::EdgeFrame());
  EXPECT_EQ(hostile_->AwaitClosed().code(), absl::StatusCode::kInvalidArgument);
  ExpectUnharmed("a frame without a body");

  hostile_ = Dial(hostile_channel_);
  Subscribe(*hostile_);
  lv1::EdgeFrame huge;
  huge.mutable_report()->set_type("pods");
  huge.mutable_report()->set_value(std::string(5 << 20, 'x'));
  hostile_->Send(huge);
  EXPECT_FALSE(hostile_->AwaitClosed().ok());
  ExpectUnharmed("a frame of 5 MiB");

  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(link_address_.substr(link_address_.rfind(':') + 1), &port));
  std::vector<int> sockets;
  for (int i = 0; i < 100; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    // Half of them say nothing at all.
    if (i % 2 == 0) {
      EXPECT_GT(send(fd, "no hello of TLS, this is", 24, MSG_NOSIGNAL), 0);
    }
    sockets.push_back(fd);
  }
  ExpectUnharmed("connections that are no TLS");
  std::unique_ptr<NodePeer> late = Dial(ChannelOf("late"));
  EXPECT_TRUE(late->Await([](const lv1::CloudFrame& f) { return f.has_welcome(); }).has_value());
  for (int fd : sockets) close(fd);
}

// link-11.5
TEST_F(HostileTest, ANodeThatDialsInALoopIsRefusedAlone) {
  StartAll();
  int refused = 0;
  for (int i = 0; i < 90; ++i) {
    hostile_ = Dial(hostile_channel_);
    if (hostile_->Await([](const lv1::CloudFrame& f) { return f.has_welcome(); }).has_value())
      continue;
    ++refused;
    EXPECT_EQ(GetErrorInfo(hostile_->AwaitClosed()).reason, "DIALS_TOO_OFTEN");
  }
  EXPECT_GT(refused, 0);
  ExpectUnharmed("dialling in a loop");
}

}  // namespace
}  // namespace skerry::e2e
