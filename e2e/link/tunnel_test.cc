// Tunnels: both hubs as they are, between a user in the cloud and one on the box that the test
// plays.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/cloudhub/v1/tunnel_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/tunnel_service.grpc.pb.h"
#include "e2e/link/link_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/link/tunnel_client.h"
#include "services/lib/link/tunnel_set.h"
#include "services/lib/rpc/channel.h"

namespace skerry::e2e {
namespace {

using CloudTunnel = link::TunnelClient<cv1::OpenTunnelResponse, cv1::OpenTunnelRequest>;
using BoxTunnel = link::TunnelClient<ev1::JoinTunnelResponse, ev1::JoinTunnelRequest>;

absl::StatusOr<std::string> ReadFrom(pipe::ByteStream& stream) {
  absl::Notification done;
  absl::StatusOr<std::string> result;
  stream.Read([&](absl::StatusOr<std::string> bytes) {
    result = std::move(bytes);
    done.Notify();
  });
  if (!done.WaitForNotificationWithTimeout(absl::Seconds(20))) std::abort();
  return result;
}

// To the tunnel's end.
std::string ReadAll(pipe::ByteStream& stream) {
  std::string all;
  while (true) {
    absl::StatusOr<std::string> bytes = ReadFrom(stream);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok() || bytes->empty()) return all;
    all += *bytes;
  }
}

void WriteTo(pipe::ByteStream& stream, const std::string& bytes) {
  for (size_t at = 0; at < bytes.size(); at += pipe::ByteStream::kChunkBytesMax) {
    absl::Notification done;
    stream.Write(bytes.substr(at, pipe::ByteStream::kChunkBytesMax), [&](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      done.Notify();
    });
    if (!done.WaitForNotificationWithTimeout(absl::Seconds(20))) std::abort();
  }
}

class TunnelTest : public LinkTest {
 protected:
  std::shared_ptr<CloudTunnel> Open(const std::string& node) {
    cv1::OpenTunnelRequest first;
    first.mutable_open()->set_node(node);
    first.mutable_open()->set_type("kubelet");
    auto stub = cv1::TunnelService::NewStub(
        ChannelTo(cloud_->addresses().at("api"), "system:edge-controller", "skerry:controllers"));
    EXPECT_TRUE(tunnels_.Begin());
    auto tunnel = CloudTunnel::Dial(
        [&](auto* context, auto* reactor) { stub->async()->OpenTunnel(context, reactor); },
        std::move(first), [this] { tunnels_.Ended(); });
    tunnels_.Add(tunnel);
    return tunnel;
  }

  std::unique_ptr<Spoke> AttachTaker() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    box_channel_ = *rpc::MakeChannel(options);
    auto stub = ev1::SpokeService::NewStub(box_channel_);
    auto spoke = std::make_unique<Spoke>(
        [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); });
    ev1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("edged-svc");
    frame.mutable_register_()->add_tunnel_types("kubelet");
    spoke->Send(frame);
    return spoke;
  }

  std::shared_ptr<BoxTunnel> Join(Spoke& spoke) {
    auto offer = spoke.Await([](const ev1::HubFrame& f) { return f.has_tunnel_request(); });
    EXPECT_TRUE(offer.has_value());
    ev1::JoinTunnelRequest first;
    first.mutable_join()->set_epoch(offer->tunnel_request().epoch());
    first.mutable_join()->set_tunnel_id(offer->tunnel_request().tunnel_id());
    auto stub = ev1::TunnelService::NewStub(box_channel_);
    EXPECT_TRUE(tunnels_.Begin());
    auto tunnel = BoxTunnel::Dial(
        [&](auto* context, auto* reactor) { stub->async()->JoinTunnel(context, reactor); },
        std::move(first), [this] { tunnels_.Ended(); });
    tunnels_.Add(tunnel);
    return tunnel;
  }

  std::shared_ptr<grpc::Channel> box_channel_;
  link::TunnelSet tunnels_;
};

// link-8.3, link-8.5: much more than a window each way at once, then both ends.
TEST_F(TunnelTest, CarriesBytesBothWaysToBothEnds) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  std::unique_ptr<Spoke> spoke = AttachTaker();
  auto cloud = Open("edge-1");
  auto box = Join(*spoke);
  std::string down, up;
  for (int i = 0; i < 400000; ++i) {
    absl::StrAppend(&down, "down ", i, "\n");
    absl::StrAppend(&up, i, " up\n");
  }
  std::thread cloud_writer([&] {
    WriteTo(*cloud, down);
    cloud->Write("#", [](absl::Status) {});
  });
  std::thread box_writer([&] {
    WriteTo(*box, up);
    box->Write("#", [](absl::Status) {});
  });
  std::string at_cloud, at_box;
  std::thread cloud_reader([&] {
    while (at_cloud.empty() || at_cloud.back() != '#') at_cloud += *ReadFrom(*cloud);
  });
  while (at_box.empty() || at_box.back() != '#') at_box += *ReadFrom(*box);
  cloud_reader.join();
  cloud_writer.join();
  box_writer.join();
  EXPECT_EQ(at_box, down + "#");
  EXPECT_EQ(at_cloud, up + "#");
  box->Close(absl::OkStatus());
  EXPECT_EQ(ReadAll(*cloud), "");
  cloud->Close(absl::OkStatus());
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (tunnels_.open() > 0) ASSERT_LT(absl::Now(), deadline);
}

// link-8.7, link-8.8: a user that does not read holds up nobody, and hears of the end.
TEST_F(TunnelTest, OneThatIsNotReadHoldsUpNothing) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  std::unique_ptr<Spoke> spoke = AttachTaker();
  std::unique_ptr<Spoke> meta = AttachSpoke();
  auto slow_cloud = Open("edge-1");
  auto slow_box = Join(*spoke);
  absl::Mutex mutex;
  size_t written = 0;
  std::function<void()> pump = [&] {
    slow_box->Write(std::string(pipe::ByteStream::kChunkBytesMax, 'x'), [&](absl::Status status) {
      if (!status.ok()) return;
      {
        absl::MutexLock lock(&mutex);
        written += pipe::ByteStream::kChunkBytesMax;
      }
      pump();
    });
  };
  pump();
  auto cloud = Open("edge-1");
  auto box = Join(*spoke);
  WriteTo(*box, "quick");
  EXPECT_EQ(*ReadFrom(*cloud), "quick");
  PutReport(*meta, 1, "Running");
  EXPECT_EQ(AwaitReport(*controller).report().value(), "Running");
  {
    absl::MutexLock lock(&mutex);
    EXPECT_LT(written, 2u << 20);  // Held back: what the windows on the way hold.
  }
  edge_->Drain(absl::Now() + absl::Seconds(5));
  while (true) {
    absl::StatusOr<std::string> bytes = ReadFrom(*slow_cloud);
    if (bytes.ok()) {
      ASSERT_FALSE(bytes->empty());
      continue;
    }
    EXPECT_EQ(GetErrorInfo(bytes.status()).reason, "TUNNEL_LINK_LOST");
    break;
  }
  EXPECT_FALSE(ReadFrom(*box).ok());
  tunnels_.Stop();
}

TEST_F(TunnelTest, SaysWhyThereIsNone) {
  StartCloud();
  EXPECT_EQ(GetErrorInfo(ReadFrom(*Open("edge-1")).status()).reason, "NODE_NOT_CONNECTED");
  StartEdge();
  std::unique_ptr<Controller> controller = AttachAndMeetNode();
  EXPECT_EQ(GetErrorInfo(ReadFrom(*Open("edge-1")).status()).reason, "NO_TUNNEL_TAKER");
  tunnels_.Stop();
}

}  // namespace
}  // namespace skerry::e2e
