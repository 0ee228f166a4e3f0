#include "services/device-controller-svc/service/resource_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

MATCHER_P2(Refuses, field, text, "names the field and the text") {
  return ::testing::ExplainMatchResult(
      StatusIsWith(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr(field), HasSubstr(text))),
      arg.status(), result_listener);
}

TEST(ResourceNamesTest, ReadWhatTheyWrite) {
  const DeviceName device = *DeviceName::Parse("plant/room-3.south");
  EXPECT_EQ(DeviceResource(device), "namespaces/plant/devices/room-3.south");
  EXPECT_THAT(ParseDeviceResource("name", DeviceResource(device)), IsOkAndHolds(device));
  EXPECT_THAT(ParseTwinResource("name", TwinResource(device)), IsOkAndHolds(device));
  const auto call = ParseMethodCallResource("name", MethodCallResource(device, "a:1"));
  ASSERT_TRUE(call.ok());
  EXPECT_EQ(call->device, device);
  EXPECT_EQ(call->call_id, "a:1");
  EXPECT_THAT(ParseParent("parent", "namespaces/plant"), IsOkAndHolds(std::string("plant")));
  EXPECT_THAT(ParseParent("parent", "namespaces/-"), IsOkAndHolds(std::string()));
}

TEST(ResourceNamesTest, OthersAreRefusedWithFieldAndText) {
  for (const char* text :
       {"", "namespaces", "namespaces/", "namespaces/plant", "devices/a",
        "namespaces/plant/devices/", "namespaces//devices/a", "namespaces/plant/devices/a/",
        "namespaces/plant/devices/a/twin", "namespaces/-/devices/a", "namespaces/plant/devices/A",
        "/namespaces/plant/devices/a"}) {
    EXPECT_THAT(ParseDeviceResource("name", text), Refuses("name", text));
  }
  for (const char* text : {"namespaces/plant/devices/a", "namespaces/plant/devices/a/twins",
                           "namespaces/plant/devices/a/twin/"}) {
    EXPECT_THAT(ParseTwinResource("twin.name", text), Refuses("twin.name", text));
  }
  for (const char* text : {"", "namespaces/", "plant", "namespaces/a/b", "namespaces/A"})
    EXPECT_THAT(ParseParent("parent", text), Refuses("parent", text));
  for (const char* id : {"", "a/b", "a b", "a\n"}) {
    const std::string name = std::string("namespaces/plant/devices/a/methodCalls/") + id;
    EXPECT_FALSE(ParseMethodCallResource("name", name).ok()) << id;
  }
}

}  // namespace
}  // namespace skerry::devicecontroller
