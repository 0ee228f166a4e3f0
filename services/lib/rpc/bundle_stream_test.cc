// What a stream does with a peer that sends more messages as one than it may (link-7.3).
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/bundle.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::rpc {
namespace {

namespace v1 = skerry::cloudhub::v1;

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;

constexpr absl::Duration kPatience = absl::Seconds(30);

// Counts what one end gets, and keeps what it ended with.
template <typename In>
struct Ending {
  StreamEvents<In> Events() {
    return {.on_message = [this](const In&) { ++messages; },
            .on_closed =
                [this](absl::Status reason) {
                  status = std::move(reason);
                  closed.Notify();
                }};
  }
  absl::Status Wait() {
    if (!closed.WaitForNotificationWithTimeout(kPatience)) return absl::InternalError("not closed");
    return status;
  }

  std::atomic<int> messages = 0;
  absl::Notification closed;
  absl::Status status;
};

class Hub final : public v1::SpokeService::CallbackService {
 public:
  grpc::ServerBidiReactor<v1::SpokeFrame, v1::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return AcceptBidi<v1::SpokeFrame, v1::HubFrame>(
        context, {}, [this](const CallScope&, std::shared_ptr<Stream<v1::HubFrame>> stream) {
          if (greeting.ByteSizeLong() > 0) stream->Send(greeting);
          return ending.Events();
        });
  }

  v1::HubFrame greeting;
  Ending<v1::SpokeFrame> ending;
};

class BundleStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server =
        Server::Create({.listen = absl::StrCat("unix:", folder_.path(), "/s.sock")}, {&hub_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::SpokeService::NewStub(
        *MakeChannel({.target = server_->address(), .own_connection = true}));
  }
  // Its streams write to what the test's object owns.
  void TearDown() override { server_.reset(); }

  std::shared_ptr<Stream<v1::SpokeFrame>> Dial() {
    return DialBidi<v1::HubFrame, v1::SpokeFrame>(
        [this](auto* context, auto* reactor) { stub_->async()->Attach(context, reactor); }, {},
        spoke_.Events());
  }

  skerry::testing::TempDir folder_;
  Hub hub_;
  Ending<v1::HubFrame> spoke_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::SpokeService::Stub> stub_;
};

template <typename Frame>
Frame WithFollowing(int count) {
  Frame frame;
  for (int i = 0; i < count; ++i) frame.add_following();
  return frame;
}

TEST_F(BundleStreamTest, AServerTakesAsManyAsMayCome) {
  auto stream = Dial();
  ASSERT_TRUE(stream->Send(WithFollowing<v1::SpokeFrame>(internal::kBundleMessagesMax - 1)));
  stream->Close(absl::OkStatus());
  EXPECT_THAT(spoke_.Wait(), IsOk());
  EXPECT_THAT(hub_.ending.Wait(), IsOk());
  EXPECT_EQ(hub_.ending.messages, internal::kBundleMessagesMax);
}

TEST_F(BundleStreamTest, AServerRefusesMoreAndTakesNoneOfThem) {
  auto stream = Dial();
  ASSERT_TRUE(stream->Send(WithFollowing<v1::SpokeFrame>(internal::kBundleMessagesMax)));
  EXPECT_THAT(spoke_.Wait(), HasReason("BUNDLE_INVALID"));
  EXPECT_THAT(hub_.ending.Wait(), HasReason("BUNDLE_INVALID"));
  EXPECT_EQ(hub_.ending.messages, 0);
}

TEST_F(BundleStreamTest, AServerRefusesNestedOnes) {
  auto stream = Dial();
  auto frame = WithFollowing<v1::SpokeFrame>(1);
  frame.mutable_following(0)->add_following();
  ASSERT_TRUE(stream->Send(std::move(frame)));
  EXPECT_THAT(spoke_.Wait(), HasReason("BUNDLE_INVALID"));
  EXPECT_EQ(hub_.ending.messages, 0);
}

TEST_F(BundleStreamTest, AClientRefusesMoreAndTakesNoneOfThem) {
  hub_.greeting = WithFollowing<v1::HubFrame>(internal::kBundleMessagesMax);
  auto stream = Dial();
  EXPECT_THAT(spoke_.Wait(), HasReason("BUNDLE_INVALID"));
  EXPECT_EQ(spoke_.messages, 0);
  EXPECT_THAT(hub_.ending.Wait(), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace skerry::rpc
