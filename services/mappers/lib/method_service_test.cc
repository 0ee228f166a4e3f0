#include "services/mappers/lib/method_service.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"
#include "services/mappers/testing/mapper_fixture.h"

namespace skerry::mapper {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::ElementsAre;

class MethodServiceTest : public MapperFixture {
 protected:
  void SetUp() override {
    driver_.Change("s1", [](FakeDriver::Device& d) {
      d.methods["flush"] = "flushed";
      d.methods["calibrate"] = absl::InternalError("no reference");
      d.methods["refuse"] = InvalidField("seconds", "-1", "give more than 0");
      d.methods["talk"] = std::string((128 << 10) + 1, 'x');
    });
    v1beta1::Device device = Sensor("s1");
    AddProperty(device, "temperature", 86400000, 86400000);
    twin_.SetDevices({model_}, {device});
    twin_.Start();
    StartMapper();
    methods_ = v1::DeviceMethodService::NewStub(
        *rpc::MakeChannel({.target = app_->addresses().at("api")}));
    ASSERT_TRUE(UntilDevice("s1", [](const FakeDriver::Device& d) { return d.reads > 0; }));
  }

  static twin::v1::MethodCall CallOf(const std::string& method) {
    twin::v1::MethodCall call;
    call.set_device("plant/s1");
    call.set_method(method);
    return call;
  }
  absl::StatusOr<twin::v1::MethodResult> Do(const twin::v1::MethodCall& call,
                                            absl::Duration timeout = absl::Seconds(20)) {
    twin::v1::MethodResult result;
    const absl::Status status = rpc::CallUnary(timeout, [&](grpc::ClientContext* context) {
      return methods_->CallMethod(context, call, &result);
    });
    if (!status.ok()) return status;
    return result;
  }

  std::unique_ptr<v1::DeviceMethodService::Stub> methods_;
};

TEST_F(MethodServiceTest, TheDeviceIsCalled) {
  twin::v1::MethodCall call = CallOf("flush");
  (*call.mutable_arguments())["seconds"] = "3";
  const auto result = Do(call);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->status(), 200);
  EXPECT_EQ(result->payload(), "flushed");
  EXPECT_THAT(driver_.Get("s1").calls, ElementsAre("flush seconds=3"));
}

TEST_F(MethodServiceTest, EveryErrorHasAReason) {
  EXPECT_THAT(Do(CallOf("explode")), HasReason("METHOD_UNKNOWN"));
  EXPECT_THAT(Do(CallOf("explode")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Do(CallOf("calibrate")), HasReason("METHOD_FAILED"));
  EXPECT_THAT(Do(CallOf("refuse")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Do(CallOf("talk")), HasReason("RESULT_TOO_LARGE"));
  twin::v1::MethodCall call = CallOf("flush");
  call.set_device("plant/none");
  EXPECT_THAT(Do(call), HasReason("DEVICE_UNKNOWN"));
  driver_.Change("s1", [](FakeDriver::Device& d) { d.failure = absl::UnavailableError("off"); });
  EXPECT_THAT(Do(CallOf("flush")), HasReason("DEVICE_OFFLINE"));
  driver_.Change("s1",
                 [](FakeDriver::Device& d) { d.failure = absl::DeadlineExceededError("slow"); });
  EXPECT_THAT(Do(CallOf("flush")), HasReason("DEVICE_TIMEOUT"));
}

TEST_F(MethodServiceTest, RefusesWhatIsTooMuch) {
  twin::v1::MethodCall call = CallOf("flush");
  call.set_device("s1");
  EXPECT_THAT(Do(call), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Do(CallOf("")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Do(CallOf(std::string(129, 'm'))), StatusIs(absl::StatusCode::kInvalidArgument));
  call = CallOf("flush");
  call.set_request_id(std::string(129, 'r'));
  EXPECT_THAT(Do(call), StatusIs(absl::StatusCode::kInvalidArgument));
  call = CallOf("flush");
  (*call.mutable_arguments())["x"] = std::string(64 << 10, 'x');
  EXPECT_THAT(Do(call), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(driver_.Get("s1").calls.empty());
}

// Nobody waits for it any more: a device must not do it then.
TEST_F(MethodServiceTest, ACallWhoseTurnComesTooLateIsNotMade) {
  driver_.Change("s1", [](FakeDriver::Device& d) { d.hangs = true; });
  std::thread first([&] { EXPECT_THAT(Do(CallOf("flush")), IsOk()); });
  ASSERT_TRUE(UntilDevice("s1", [](const FakeDriver::Device& d) { return d.calls.size() == 1; }));
  EXPECT_THAT(Do(CallOf("calibrate"), absl::Milliseconds(200)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  driver_.EndHangs();
  first.join();
  EXPECT_THAT(Do(CallOf("flush")), IsOk());
  EXPECT_THAT(driver_.Get("s1").calls, ElementsAre("flush", "flush"));
}

}  // namespace
}  // namespace skerry::mapper
