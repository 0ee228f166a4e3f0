#include "services/device-controller-svc/service/device_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/devicecontroller/v1/device_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/method_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/telemetry_service.grpc.pb.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::IsOk;

// Every method of the package, as the servers have it.
std::vector<std::string> Methods() {
  std::vector<std::string> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Device::descriptor()->file(), v1::DeviceTwin::descriptor()->file(),
        v1::MethodCall::descriptor()->file(), v1::Reading::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      const google::protobuf::ServiceDescriptor& service = *file->service(s);
      for (int m = 0; m < service.method_count(); ++m)
        methods.push_back(absl::StrCat("/", service.full_name(), "/", service.method(m)->name()));
    }
  }
  return methods;
}

std::set<std::string> AllowedTo(const std::string& organization) {
  std::set<std::string> allowed;
  for (const std::string& method : Methods()) {
    if (DevicePolicy().Check(method, {organization}).ok())
      allowed.insert(method.substr(method.rfind('/') + 1));
  }
  return allowed;
}

TEST(DevicePolicyTest, OperatorsMayCallAll) {
  EXPECT_EQ(Methods().size(), 15u);
  EXPECT_EQ(AllowedTo("skerry:operators").size(), 15u);
}

TEST(DevicePolicyTest, ApplicationsUseDevicesAndViewersRead) {
  const std::set<std::string> read = {"GetDevice",        "ListDevices",     "WatchDevices",
                                      "GetDeviceTwin",    "ListTwinHistory", "QueryReadings",
                                      "AggregateReadings"};
  EXPECT_EQ(AllowedTo("skerry:viewers"), read);
  std::set<std::string> use = read;
  use.insert(
      {"UpdateDeviceTwin", "CallMethod", "GetMethodCall", "ListMethodCalls", "CancelMethodCall"});
  EXPECT_EQ(AllowedTo("skerry:applications"), use);
}

TEST(DevicePolicyTest, NodesAndStrangersMayCallNothing) {
  EXPECT_TRUE(AllowedTo("system:nodes").empty());
  EXPECT_TRUE(AllowedTo("skerry:controllers").empty());
  EXPECT_TRUE(AllowedTo("").empty());
  EXPECT_THAT(DevicePolicy().Check("/grpc.health.v1.Health/Check", {}), IsOk());
}

}  // namespace
}  // namespace skerry::devicecontroller
