#include "services/router-svc/gateway/command_sender.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

namespace hub = skerry::cloudhub::v1;
using skerry::testing::HasReason;
using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIs;

// Says the stages that the key names.
class StagingHub final : public hub::CommandService::Service {
 public:
  grpc::Status SendCommand(grpc::ServerContext*, const hub::SendCommandRequest* request,
                           grpc::ServerWriter<hub::Command>* writer) override {
    last = *request;
    hub::Command command;
    command.set_stage(hub::Command::STAGE_SENT);
    writer->Write(command);
    if (request->key() == "cut") return grpc::Status::OK;
    if (request->key() == "refused") {
      return rpc::ToGrpc(
          Error(absl::StatusCode::kUnavailable, "away").Reason("NODE_NOT_CONNECTED"));
    }
    if (request->key() == "silent") {
      begun.Notify();
      release.WaitForNotification();
      return grpc::Status::CANCELLED;
    }
    command.set_stage(request->key() == "expired" ? hub::Command::STAGE_EXPIRED
                                                  : hub::Command::STAGE_DONE);
    command.set_response("pong");
    if (request->key() == "failed") {
      *command.mutable_status() =
          rpc::ToProto(Error(absl::StatusCode::kPermissionDenied, "no").Reason("CALL_NOT_ALLOWED"));
    }
    writer->Write(command);
    return grpc::Status::OK;
  }
  hub::SendCommandRequest last;
  absl::Notification begun, release;
};

class CommandSenderTest : public ::testing::Test {
 protected:
  CommandSenderTest() {
    server_ = *rpc::Server::Create({.listen = "127.0.0.1:0"}, {&hub_});
    channel_ = *rpc::MakeChannel({.target = server_->address()});
  }
  absl::StatusOr<std::string> Send(const std::string& key, const std::string& node = "edge-1") {
    auto told = std::make_shared<absl::Notification>();
    auto response = std::make_shared<absl::StatusOr<std::string>>();
    sender_.Send({.node = node,
                  .key = key,
                  .type = "http",
                  .payload = "ping",
                  .deadline = absl::Seconds(30)},
                 [told, response](absl::StatusOr<std::string> answer) {
                   *response = std::move(answer);
                   told->Notify();
                 });
    EXPECT_TRUE(told->WaitForNotificationWithTimeout(absl::Seconds(20)));
    return *response;
  }

  StagingHub hub_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  HubCommandSender sender_{[this](const std::string& node) {
    return node == "edge-1" ? channel_ : std::shared_ptr<grpc::Channel>();
  }};
};

TEST_F(CommandSenderTest, GivesTheResponse) {
  EXPECT_THAT(Send("k"), IsOkAndHolds("pong"));
  EXPECT_EQ(hub_.last.node(), "edge-1");
  EXPECT_EQ(hub_.last.type(), "http");
  EXPECT_EQ(hub_.last.payload(), "ping");
  EXPECT_EQ(hub_.last.delivery(), hub::Command::DELIVERY_NOW);
  EXPECT_EQ(hub_.last.deadline().seconds(), 30);
}

TEST_F(CommandSenderTest, TellsHowItFailed) {
  EXPECT_THAT(Send("failed"), HasReason("CALL_NOT_ALLOWED"));
  EXPECT_THAT(Send("refused"), HasReason("NODE_NOT_CONNECTED"));
  EXPECT_THAT(Send("expired"), HasReason("COMMAND_NOT_EXECUTED"));
  EXPECT_THAT(Send("cut"), HasReason("COMMAND_OUTCOME_UNKNOWN"));
  EXPECT_THAT(Send("k", "edge-2"), HasReason("NODE_NOT_CONNECTED"));
}

TEST_F(CommandSenderTest, StopsWhatIsOpen) {
  auto told = std::make_shared<absl::Notification>();
  sender_.Send({.node = "edge-1", .key = "silent", .type = "http", .deadline = absl::Minutes(5)},
               [told](absl::StatusOr<std::string> answer) {
                 EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
                 told->Notify();
               });
  hub_.begun.WaitForNotification();
  sender_.Stop();
  EXPECT_TRUE(told->HasBeenNotified());
  hub_.release.Notify();
  EXPECT_THAT(Send("k"), HasReason("DRAINING"));
}

}  // namespace
}  // namespace skerry::router
