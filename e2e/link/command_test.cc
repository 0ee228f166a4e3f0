// Commands: both hubs as they are, between a sender in the cloud and a service of the box that the
// test plays.
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "e2e/link/link_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::e2e {
namespace {

// One call of SendCommand, read by the test's own thread.
class SenderCall {
 public:
  SenderCall(std::shared_ptr<grpc::Channel> channel, const cv1::SendCommandRequest& request)
      : stub_(cv1::CommandService::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    reader_ = stub_->SendCommand(&context_, request);
  }
  ~SenderCall() { context_.TryCancel(); }
  // Reads on to this stage; false where the call ends before.
  bool Reach(cv1::Command::Stage stage) {
    while (reader_->Read(&last_)) {
      if (last_.stage() == stage) return true;
    }
    return false;
  }
  absl::Status Finish() {
    while (reader_->Read(&last_)) continue;
    return rpc::FromGrpc(reader_->Finish());
  }
  const cv1::Command& last() const { return last_; }

 private:
  const std::unique_ptr<cv1::CommandService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<cv1::Command>> reader_;
  cv1::Command last_;
};

class CommandTest : public LinkTest {
 protected:
  std::unique_ptr<SenderCall> Send(const std::string& key, cv1::Command::Delivery delivery,
                                   const std::string& organization = "skerry:controllers") {
    cv1::SendCommandRequest request;
    request.set_node("edge-1");
    request.set_key(key);
    request.set_type("devicemethod");
    request.set_payload("open");
    request.set_delivery(delivery);
    return std::make_unique<SenderCall>(
        ChannelTo(cloud_->addresses().at("api"), "system:sender", organization), request);
  }

  std::unique_ptr<Spoke> AttachTaker() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    options.own_connection = true;
    auto stub = ev1::SpokeService::NewStub(*rpc::MakeChannel(options));
    auto spoke = std::make_unique<Spoke>(
        [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); });
    ev1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("mapper");
    frame.mutable_register_()->add_command_types("devicemethod");
    spoke->Send(frame);
    return spoke;
  }
  ev1::CommandRequest AwaitCommand(Spoke& spoke) {
    auto frame = spoke.Await([](const ev1::HubFrame& f) { return f.has_command_request(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->command_request() : ev1::CommandRequest();
  }
  static void Done(Spoke& spoke, const std::string& key, const std::string& response) {
    ev1::SpokeFrame frame;
    frame.mutable_command_done()->set_key(key);
    frame.mutable_command_done()->set_response(response);
    spoke.Send(frame);
  }
  void StopBoth() {
    edge_->Stop();
    edge_ = nullptr;
    cloud_->Stop();
    cloud_ = nullptr;
  }
};

TEST_F(CommandTest, ACommandIsExecutedAndItsResponseComesBack) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Spoke> spoke = AttachTaker();
  auto call = Send("a", cv1::Command::DELIVERY_WAIT);
  const ev1::CommandRequest request = AwaitCommand(*spoke);
  EXPECT_EQ(request.key(), "a");
  EXPECT_EQ(request.type(), "devicemethod");
  EXPECT_EQ(request.payload(), "open");
  EXPECT_EQ(request.deadline().seconds(), 30);
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_STARTED));
  Done(*spoke, "a", "opened");
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_DONE));
  EXPECT_EQ(call->last().name(), "nodes/edge-1/commands/a");
  EXPECT_EQ(call->last().status().code(), 0);
  EXPECT_EQ(call->last().response(), "opened");
  EXPECT_TRUE(call->Finish().ok());
}

TEST_F(CommandTest, OneThatDoesNotWaitFailsAtOnce) {
  StartCloud();
  const absl::Status status = Send("a", cv1::Command::DELIVERY_NOW)->Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(status).reason, "NODE_NOT_CONNECTED");
  StartEdge();
  AttachAndMeetNode();
  auto call = Send("a", cv1::Command::DELIVERY_NOW);
  EXPECT_TRUE(call->Finish().ok());
  EXPECT_EQ(call->last().stage(), cv1::Command::STAGE_DONE);
  EXPECT_EQ(call->last().status().code(), static_cast<int>(absl::StatusCode::kUnavailable));
}

// link-10.1: both hubs die with the command under way at its taker, and again after its end.
TEST_F(CommandTest, AQueuedCommandIsExecutedOnceWhateverDies) {
  StartCloud();
  StartEdge();
  auto call = Send("a", cv1::Command::DELIVERY_QUEUE);
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_ACCEPTED));
  call = nullptr;
  StopBoth();
  StartCloud(link_address_);
  StartEdge();
  std::unique_ptr<Spoke> spoke = AttachTaker();
  EXPECT_EQ(AwaitCommand(*spoke).key(), "a");
  cloud_->Stop();
  cloud_ = nullptr;
  Done(*spoke, "a", "opened");
  StartCloud(link_address_);
  call = Send("a", cv1::Command::DELIVERY_QUEUE);
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_DONE));
  EXPECT_EQ(call->last().response(), "opened");
  spoke = nullptr;
  StopBoth();
  StartCloud(link_address_);
  StartEdge();
  call = Send("a", cv1::Command::DELIVERY_QUEUE);
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_DONE));
  EXPECT_EQ(call->last().response(), "opened");
  // A sender that forgot how it sent it, to a hub that forgot it: the box knows it.
  spoke = AttachTaker();
  cloud_->Stop();
  cloud_ = nullptr;
  std::filesystem::remove(folder_ + "/cloudhub/commands.db");
  StartCloud(link_address_);
  call = Send("a", cv1::Command::DELIVERY_WAIT);
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_DONE));
  EXPECT_EQ(call->last().response(), "opened");
}

// link-10.8
TEST_F(CommandTest, ACommandWhoseTakerDiesAtItHasAnUnknownOutcome) {
  StartCloud();
  StartEdge();
  std::unique_ptr<Spoke> spoke = AttachTaker();
  auto call = Send("a", cv1::Command::DELIVERY_WAIT);
  AwaitCommand(*spoke);
  spoke = nullptr;
  EXPECT_TRUE(call->Reach(cv1::Command::STAGE_DONE));
  EXPECT_EQ(call->last().status().code(), static_cast<int>(absl::StatusCode::kAborted));
}

TEST_F(CommandTest, OnlyControllersSendCommands) {
  StartCloud();
  EXPECT_EQ(Send("a", cv1::Command::DELIVERY_QUEUE, "skerry:operators")->Finish().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Send("a", cv1::Command::DELIVERY_QUEUE, "system:nodes")->Finish().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace skerry::e2e
