#include "tools/skerryctl/device_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/testing/status_matchers.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

namespace v1 = devicecontroller::v1;

using skerry::testing::IsOk;
using ::testing::HasSubstr;

TEST(DeviceCommandTest, ACallIsReadFromTheCommandLine) {
  const auto request = MakeCallRequest({.device = "lamp-3",
                                        .method = "dim",
                                        .arguments = {"to=50", "how=a=b", "empty="},
                                        .delivery = "queue",
                                        .deadline = "1.5s",
                                        .expire_in = "2h",
                                        .call_id = "dim-1"});
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->device(), "namespaces/default/devices/lamp-3");
  EXPECT_EQ(request->method(), "dim");
  EXPECT_EQ(request->arguments().at("to"), "50");
  EXPECT_EQ(request->arguments().at("how"), "a=b");
  EXPECT_EQ(request->arguments().at("empty"), "");
  EXPECT_EQ(request->delivery(), v1::MethodCall::DELIVERY_QUEUE);
  EXPECT_EQ(request->deadline().seconds(), 1);
  EXPECT_EQ(request->deadline().nanos(), 500000000);
  EXPECT_EQ(request->expire_in().seconds(), 7200);
  EXPECT_EQ(request->call_id(), "dim-1");
  EXPECT_EQ(MakeCallRequest({.device = "plant/lamp"})->device(), "namespaces/plant/devices/lamp");
}

TEST(DeviceCommandTest, WhatIsWrongIsNamed) {
  const DeviceOptions good = {.device = "lamp-3", .method = "dim"};
  for (const auto& [change, seen] :
       std::vector<std::pair<std::function<void(DeviceOptions&)>, std::string>>{
           {[](DeviceOptions& o) { o.arguments = {"fifty"}; }, "fifty"},
           {[](DeviceOptions& o) { o.arguments = {"=50"}; }, "=50"},
           {[](DeviceOptions& o) {
              o.arguments = {"to=1", "to=2"};
            },
            "to=2"},
           {[](DeviceOptions& o) { o.delivery = "later"; }, "later"},
           {[](DeviceOptions& o) { o.deadline = "soon"; }, "soon"},
           {[](DeviceOptions& o) { o.deadline = "0s"; }, "0s"},
           {[](DeviceOptions& o) { o.expire_in = "-1h"; }, "-1h"}}) {
    DeviceOptions bad = good;
    change(bad);
    const StepError error = FromStatus(MakeCallRequest(bad).status());
    EXPECT_EQ(error.exit_code, ExitCode::kUsage) << seen;
    EXPECT_EQ(error.seen, seen);
  }
}

TEST(DeviceCommandTest, TheAnswerOfADeviceCannotDriveTheTerminal) {
  v1::MethodCall call;
  call.set_name("namespaces/default/devices/lamp-3/methodCalls/1");
  call.set_stage(v1::MethodCall::STAGE_DONE);
  call.mutable_result()->set_status(200);
  call.mutable_result()->set_payload("true\x1b[2J");
  EXPECT_THAT(RenderCall(call, Format::kTable), HasSubstr("status 200\ntrue"));
  EXPECT_EQ(RenderCall(call, Format::kTable).find('\x1b'), std::string::npos);
  call.clear_result();
  call.set_stage(v1::MethodCall::STAGE_WAITING);
  EXPECT_EQ(RenderCall(call, Format::kTable),
            "namespaces/default/devices/lamp-3/methodCalls/1: WAITING\n");
  EXPECT_THAT(RenderCall(call, Format::kJson), HasSubstr("\"stage\": \"STAGE_WAITING\""));
}

}  // namespace
}  // namespace skerry::skerryctl
