#include "services/device-controller-svc/service/method_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "api/skerry/devicecontroller/v1/method_service.grpc.pb.h"
#include "services/device-controller-svc/service/testing/api_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stub = v1::MethodService::Stub;
using v1::MethodCall;

constexpr char kDevice[] = "namespaces/plant/devices/room-3";

class MethodServiceTest : public ApiTest {
 protected:
  explicit MethodServiceTest(size_t method_calls_max = 1000) : ApiTest(method_calls_max) {}

  static v1::CallMethodRequest CallOf(const std::string& method, const std::string& call_id = "",
                                      MethodCall::Delivery delivery = MethodCall::DELIVERY_NOW) {
    v1::CallMethodRequest request;
    request.set_device(kDevice);
    request.set_method(method);
    request.set_call_id(call_id);
    request.set_delivery(delivery);
    return request;
  }
  absl::StatusOr<MethodCall> Call(const v1::CallMethodRequest& request,
                                  absl::Duration deadline = kPatience) {
    return ApiTest::Call(*stub_, &Stub::CallMethod, request, deadline);
  }
  absl::StatusOr<MethodCall> Get(const std::string& call_id, const std::string& node = "") {
    v1::GetMethodCallRequest request;
    request.set_name(absl::StrCat(kDevice, "/methodCalls/", call_id));
    request.set_node(node);
    return ApiTest::Call(*stub_, &Stub::GetMethodCall, request);
  }
  absl::StatusOr<MethodCall> Cancel(const std::string& call_id) {
    v1::CancelMethodCallRequest request;
    request.set_name(absl::StrCat(kDevice, "/methodCalls/", call_id));
    return ApiTest::Call(*stub_, &Stub::CancelMethodCall, request);
  }
  // The box of edge-1, which answers all with that.
  void ConnectNode(const Command& end) {
    hub_.Connect("edge-1", [this, end](const twin::v1::MethodCall& call) {
      absl::MutexLock lock(&mutex_);
      heard_.push_back(call);
      return end;
    });
  }
  std::vector<twin::v1::MethodCall> heard() {
    absl::MutexLock lock(&mutex_);
    return heard_;
  }

  const std::unique_ptr<Stub> stub_ = v1::MethodService::NewStub(channel_);

 private:
  absl::Mutex mutex_;
  std::vector<twin::v1::MethodCall> heard_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(MethodServiceTest, TheDeviceAnswers) {
  Put("plant/room-3");
  ConnectNode(Done(418, "a teapot"));
  v1::CallMethodRequest request = CallOf("SetTarget", "c1");
  (*request.mutable_arguments())["target"] = "22";
  const absl::StatusOr<MethodCall> call = Call(request);
  ASSERT_THAT(call, IsOk());
  EXPECT_EQ(call->name(), absl::StrCat(kDevice, "/methodCalls/c1"));
  EXPECT_EQ(call->node(), "edge-1");
  EXPECT_EQ(call->stage(), MethodCall::STAGE_DONE);
  EXPECT_EQ(call->result().status(), 418);
  EXPECT_EQ(call->result().payload(), "a teapot");
  ASSERT_EQ(heard().size(), 1u);
  EXPECT_EQ(heard()[0].device(), "plant/room-3");
  EXPECT_EQ(heard()[0].method(), "SetTarget");
  EXPECT_EQ(heard()[0].arguments().at("target"), "22");
  EXPECT_EQ(heard()[0].request_id(), "c1");
  EXPECT_EQ(hub_.last().type(), "devicemethods");
  EXPECT_EQ(hub_.last().node(), "edge-1");
  EXPECT_EQ(
      metrics_.Render().find("method_calls_total{result=\"answered\"} 1") != std::string::npos,
      true);
}

TEST_F(MethodServiceTest, ADeviceThatCantBeCalledIsToldBefore) {
  EXPECT_THAT(Call(CallOf("Off")).status(), HasReason("DEVICE_UNKNOWN"));
  Put("plant/room-3", "");
  EXPECT_THAT(Call(CallOf("Off")).status(), HasReason("DEVICE_UNBOUND"));
  Put("plant/room-3");
  ASSERT_THAT(registry_->SetEnabled(*DeviceName::Parse("plant/room-3"), false, "leaks", {}),
              IsOk());
  const absl::Status disabled = Call(CallOf("Off")).status();
  EXPECT_EQ(disabled.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(disabled, HasReason("DEVICE_DISABLED"));
  EXPECT_EQ(GetErrorInfo(disabled).metadata.at("disable_reason"), "leaks");
}

TEST_F(MethodServiceTest, NowFailsAtOnceWhereTheNodeIsAway) {
  Put("plant/room-3");
  const absl::Status away = Call(CallOf("Off")).status();
  EXPECT_EQ(away.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(away, HasReason("NODE_NOT_CONNECTED"));
  ConnectNode(Ended(Command::STAGE_DONE,
                    Error(absl::StatusCode::kUnavailable, "no mapper").Reason("MAPPER_AWAY")));
  const absl::Status failed = Call(CallOf("Off", "c1")).status();
  EXPECT_THAT(failed, HasReason("MAPPER_AWAY"));
  EXPECT_EQ(GetErrorInfo(failed).metadata.at("method_call"),
            absl::StrCat(kDevice, "/methodCalls/c1"));
  EXPECT_EQ(Get("c1")->stage(), MethodCall::STAGE_FAILED);
  EXPECT_EQ(Get("c1")->error().reason(), "MAPPER_AWAY");
}

TEST_F(MethodServiceTest, WaitsForTheNode) {
  Put("plant/room-3");
  absl::StatusOr<MethodCall> call;
  std::thread caller([&] { call = Call(CallOf("Off", "c1", MethodCall::DELIVERY_WAIT)); });
  EXPECT_TRUE(hub_.AwaitStage("plant/room-3/c1", Command::STAGE_ACCEPTED));
  EXPECT_EQ(Get("c1")->stage(), MethodCall::STAGE_WAITING);
  ConnectNode(Done(200));
  caller.join();
  ASSERT_THAT(call, IsOk());
  EXPECT_EQ(call->result().status(), 200);
  EXPECT_EQ(call->delivery(), MethodCall::DELIVERY_WAIT);
}

TEST_F(MethodServiceTest, AQueuedCallIsAnsweredWhenItIsKept) {
  Put("plant/room-3");
  const absl::StatusOr<MethodCall> queued = Call(CallOf("Off", "c1", MethodCall::DELIVERY_QUEUE));
  ASSERT_THAT(queued, IsOk());
  EXPECT_EQ(queued->stage(), MethodCall::STAGE_WAITING);
  EXPECT_FALSE(queued->has_result());
  ConnectNode(Done(200, "ok"));
  EXPECT_EQ(Get("c1")->result().payload(), "ok");
  // The same call again is not another one.
  const absl::StatusOr<MethodCall> again = Call(CallOf("Off", "c1", MethodCall::DELIVERY_QUEUE));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->result().payload(), "ok");
  EXPECT_EQ(heard().size(), 1u);
}

TEST_F(MethodServiceTest, AQueuedCallMayBeWaitedFor) {
  Put("plant/room-3");
  v1::CallMethodRequest request = CallOf("Off", "c1", MethodCall::DELIVERY_QUEUE);
  request.mutable_wait()->set_seconds(60);
  absl::StatusOr<MethodCall> call;
  std::thread caller([&] { call = Call(request); });
  EXPECT_TRUE(hub_.AwaitStage("plant/room-3/c1", Command::STAGE_ACCEPTED));
  ConnectNode(Done(200));
  caller.join();
  ASSERT_THAT(call, IsOk());
  EXPECT_EQ(call->stage(), MethodCall::STAGE_DONE);
}

TEST_F(MethodServiceTest, TheSameIdIsTheSameCallWhateverTheOrderOfItsArguments) {
  Put("plant/room-3");
  ConnectNode(Done(200));
  for (int round = 0; round < 20; ++round) {
    v1::CallMethodRequest request = CallOf("Set", "c1");
    // A map of protobuf has no order of its own, and another one in each process and instance.
    for (int i = 0; i < 20; ++i)
      (*request.mutable_arguments())[absl::StrCat("a", (i + round) % 20)] = "1";
    ASSERT_THAT(Call(request), IsOk()) << round;
  }
  EXPECT_EQ(heard().size(), 1u);
  EXPECT_THAT(Call(CallOf("Other", "c1")).status(), HasReason("IDEMPOTENCY_KEY_REUSED"));
  EXPECT_THAT(Call(CallOf("Set")), IsOk());
  EXPECT_THAT(Call(CallOf("Set")), IsOk());
  EXPECT_EQ(heard().size(), 3u) << "without an id each is another one";
}

TEST_F(MethodServiceTest, HowElseACallEnds) {
  Put("plant/room-3");
  ConnectNode(Ended(Command::STAGE_EXPIRED, absl::OkStatus()));
  const absl::Status expired = Call(CallOf("Off")).status();
  EXPECT_EQ(expired.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(expired, HasReason("COMMAND_EXPIRED"));
  ConnectNode(Ended(Command::STAGE_CANCELLED, absl::OkStatus()));
  EXPECT_THAT(Call(CallOf("Off")).status(), HasReason("METHOD_CANCELLED"));
  Command garbage = Done(200);
  garbage.set_response("\xff\xff");
  ConnectNode(garbage);
  EXPECT_THAT(Call(CallOf("Off", "c1")).status(), HasReason("METHOD_RESULT_INVALID"));
  EXPECT_EQ(Get("c1")->error().reason(), "METHOD_RESULT_INVALID");
}

TEST_F(MethodServiceTest, TheBoxIsGivenNoMoreTimeThanTheCaller) {
  Put("plant/room-3");
  ConnectNode(Done(200));
  ASSERT_THAT(Call(CallOf("Off"), absl::Seconds(8)), IsOk());
  EXPECT_LE(hub_.last().deadline().seconds(), 7);
  EXPECT_GE(hub_.last().deadline().seconds(), 1);
  ASSERT_THAT(Call(CallOf("Off"), absl::Minutes(5)), IsOk());
  EXPECT_EQ(hub_.last().deadline().seconds(), 30);
  v1::CallMethodRequest request = CallOf("Off", "", MethodCall::DELIVERY_WAIT);
  request.mutable_deadline()->set_seconds(90);
  request.mutable_expire_in()->set_seconds(600);
  request.set_reexecutable(true);
  ASSERT_THAT(Call(request), IsOk());
  EXPECT_EQ(hub_.last().deadline().seconds(), 90);
  EXPECT_EQ(hub_.last().expire_in().seconds(), 600);
  EXPECT_TRUE(hub_.last().reexecutable());
}

TEST_F(MethodServiceTest, CallsAreListedInPages) {
  Put("plant/room-3");
  Put("plant/room-30");
  ConnectNode(Done(200));
  for (const char* id : {"a", "b", "c", "d", "e"}) ASSERT_THAT(Call(CallOf("Off", id)), IsOk());
  v1::CallMethodRequest other = CallOf("Off", "x");
  other.set_device("namespaces/plant/devices/room-30");
  ASSERT_THAT(Call(other), IsOk());
  v1::ListMethodCallsRequest request;
  request.set_parent(kDevice);
  request.set_page_size(3);
  std::vector<std::string> names;
  int pages = 0;
  do {
    const auto page = ApiTest::Call(*stub_, &Stub::ListMethodCalls, request);
    ASSERT_THAT(page, IsOk());
    for (const MethodCall& call : page->method_calls()) {
      names.push_back(call.name().substr(call.name().rfind('/') + 1));
      EXPECT_FALSE(call.has_result());
      EXPECT_EQ(call.stage(), MethodCall::STAGE_DONE);
    }
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(pages, 2);
}

TEST_F(MethodServiceTest, WhatWaitsIsCancelled) {
  Put("plant/room-3");
  ASSERT_THAT(Call(CallOf("Off", "c1", MethodCall::DELIVERY_QUEUE)), IsOk());
  const absl::StatusOr<MethodCall> cancelled = Cancel("c1");
  ASSERT_THAT(cancelled, IsOk());
  EXPECT_EQ(cancelled->stage(), MethodCall::STAGE_CANCELLED);
  EXPECT_EQ(cancelled->error().reason(), "METHOD_CANCELLED");
  EXPECT_THAT(Cancel("c1").status(), HasReason("COMMAND_ENDED"));
  EXPECT_THAT(Cancel("none").status(), HasReason("METHOD_CALL_UNKNOWN"));
  EXPECT_THAT(Get("none").status(), HasReason("METHOD_CALL_UNKNOWN"));
}

TEST_F(MethodServiceTest, ACallIsFoundWhereTheDeviceWasBound) {
  Put("plant/room-3");
  ConnectNode(Done(200));
  ASSERT_THAT(Call(CallOf("Off", "c1")), IsOk());
  Put("plant/room-3", "edge-2");
  EXPECT_THAT(Get("c1").status(), HasReason("METHOD_CALL_UNKNOWN"));
  EXPECT_THAT(Get("c1", "edge-1"), IsOk());
  Put("plant/room-3", "");
  EXPECT_THAT(Get("c1").status(), HasReason("DEVICE_UNBOUND"));
  EXPECT_THAT(Get("c1", "No Node").status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MethodServiceTest, BadRequestsNameTheField) {
  Put("plant/room-3");
  const auto refused = [&](const v1::CallMethodRequest& request, const std::string& field) {
    EXPECT_THAT(Call(request).status(),
                StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  v1::CallMethodRequest request = CallOf("Off");
  request.set_device("plant/room-3");
  refused(request, "device");
  refused(CallOf(""), "method");
  refused(CallOf(std::string(129, 'm')), "method");
  refused(CallOf("Off", "a/b"), "call_id");
  refused(CallOf("Off", std::string(65, 'i')), "call_id");
  refused(CallOf("Off", "", static_cast<MethodCall::Delivery>(9)), "delivery");
  request = CallOf("Off");
  (*request.mutable_arguments())["a"] = std::string(64u << 10, 'x');
  refused(request, "arguments");
  request = CallOf("Off");
  for (int i = 0; i < 65; ++i) (*request.mutable_arguments())[absl::StrCat(i)] = "";
  refused(request, "arguments");
  request = CallOf("Off");
  request.mutable_deadline()->set_seconds(0);
  refused(request, "deadline");
  request = CallOf("Off");
  request.mutable_expire_in()->set_seconds(1);
  refused(request, "expire_in");
  request = CallOf("Off");
  request.mutable_wait()->set_seconds(1);
  refused(request, "wait");
}

class FewMethodCallsTest : public MethodServiceTest {
 protected:
  FewMethodCallsTest() : MethodServiceTest(1) {}
};

TEST_F(FewMethodCallsTest, AreRefusedBeyondTheBound) {
  Put("plant/room-3");
  absl::StatusOr<MethodCall> waits;
  std::thread caller([&] { waits = Call(CallOf("Off", "c1", MethodCall::DELIVERY_WAIT)); });
  EXPECT_TRUE(hub_.AwaitStage("plant/room-3/c1", Command::STAGE_ACCEPTED));
  EXPECT_THAT(Call(CallOf("Off")).status(), HasReason("METHOD_CALLS_FULL"));
  ConnectNode(Done(200));
  caller.join();
  EXPECT_THAT(waits, IsOk());
  EXPECT_THAT(Call(CallOf("Off")), IsOk());
}

}  // namespace
}  // namespace skerry::devicecontroller
