#include "services/lib/rpc/server_metrics.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::rpc {
namespace {

namespace hub = skerry::edgehub::v1;
namespace meta = skerry::meta::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kPatience = absl::Seconds(30);

// Sends back as much as it gets, until the client has no more.
class EchoHub final : public hub::SpokeService::CallbackService {
  grpc::ServerBidiReactor<hub::SpokeFrame, hub::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return AcceptBidi<hub::SpokeFrame, hub::HubFrame>(
        context, {}, [](const CallScope&, const std::shared_ptr<Stream<hub::HubFrame>>& stream) {
          return StreamEvents<hub::SpokeFrame>{
              .on_message = [stream](const hub::SpokeFrame&) { stream->Send({}); }};
        });
  }
};

// Sends two, then has no more.
class FailingMeta final : public meta::MetaService::CallbackService {
  grpc::ServerWriteReactor<meta::WatchObjectsResponse>* WatchObjects(
      grpc::CallbackServerContext* context, const meta::WatchObjectsRequest*) override {
    return AcceptWriter<meta::WatchObjectsResponse>(
        context, {},
        [](const CallScope&, const std::shared_ptr<Stream<meta::WatchObjectsResponse>>& stream) {
          stream->Send({});
          stream->Send({});
          stream->Close(absl::OutOfRangeError("no more"));
          return WriterEvents{};
        });
  }
};

class ServerMetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = Server::Create(
        {.listen = absl::StrCat("unix:", dir_.File("s.sock")), .registry = &registry_},
        {&hub_, &meta_});
    ASSERT_THAT(server, testing::IsOk());
    server_ = *std::move(server);
    channel_ = *MakeChannel({.target = server_->address(), .own_connection = true});
    context_.set_deadline(DeadlineIn(kPatience));
  }

  static std::string Attach(absl::string_view family, absl::string_view label, int value) {
    return absl::StrCat("skerry_rpc_server_", family, "{", label,
                        "method=\"Attach\",service=\"skerry.edgehub.v1.SpokeService\"} ", value,
                        "\n");
  }
  static std::string Watch(absl::string_view family, absl::string_view label, int value) {
    return absl::StrCat("skerry_rpc_server_", family, "{", label,
                        "method=\"WatchObjects\",service=\"skerry.meta.v1.MetaService\"} ", value,
                        "\n");
  }
  bool Await(const std::string& line) {
    const absl::Time limit = absl::Now() + kPatience;
    while (registry_.Render().find(line) == std::string::npos) {
      if (absl::Now() > limit) return false;
      std::this_thread::yield();
    }
    return true;
  }

  testing::TempDir dir_;
  metrics::Registry registry_{"test-svc"};
  EchoHub hub_;
  FailingMeta meta_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
};

TEST_F(ServerMetricsTest, AStreamCountsWhileItIsOpenAndItsMessagesAsTheyCome) {
  auto stub = hub::SpokeService::NewStub(channel_);
  auto stream = stub->Attach(&context_);
  hub::HubFrame frame;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream->Write({}));
    ASSERT_TRUE(stream->Read(&frame));
  }
  EXPECT_THAT(registry_.Render(),
              AllOf(HasSubstr(Attach("streams", "", 1)),
                    HasSubstr(Attach("stream_messages_total", "direction=\"received\",", 3)),
                    HasSubstr(Attach("stream_messages_total", "direction=\"sent\",", 3)),
                    HasSubstr(Attach("stream_ends_total", "code=\"OK\",", 0))));
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&frame));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_THAT(registry_.Render(),
              AllOf(HasSubstr(Attach("streams", "", 0)),
                    HasSubstr(Attach("stream_messages_total", "direction=\"received\",", 3)),
                    HasSubstr(Attach("stream_ends_total", "code=\"OK\",", 1)),
                    Not(HasSubstr("skerry_rpc_server_handling_seconds"))));
}

TEST_F(ServerMetricsTest, AWatchEndsByItsStatus) {
  auto stub = meta::MetaService::NewStub(channel_);
  auto stream = stub->WatchObjects(&context_, {});
  meta::WatchObjectsResponse event;
  while (stream->Read(&event)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_THAT(registry_.Render(),
              AllOf(HasSubstr(Watch("streams", "", 0)),
                    HasSubstr(Watch("stream_messages_total", "direction=\"received\",", 1)),
                    HasSubstr(Watch("stream_messages_total", "direction=\"sent\",", 2)),
                    HasSubstr(Watch("stream_ends_total", "code=\"OUT_OF_RANGE\",", 1))));
}

TEST_F(ServerMetricsTest, AStreamWhoseClientIsGoneIsOpenNoMore) {
  auto stub = hub::SpokeService::NewStub(channel_);
  auto stream = stub->Attach(&context_);
  hub::HubFrame frame;
  ASSERT_TRUE(stream->Write({}));
  ASSERT_TRUE(stream->Read(&frame));
  EXPECT_THAT(registry_.Render(), HasSubstr(Attach("streams", "", 1)));
  context_.TryCancel();
  EXPECT_FALSE(stream->Finish().ok());
  EXPECT_TRUE(Await(Attach("streams", "", 0))) << registry_.Render();
}

}  // namespace
}  // namespace skerry::rpc
