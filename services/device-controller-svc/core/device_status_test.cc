#include "services/device-controller-svc/core/device_status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;

const StatusOwner kOwner = {"plant", "room-3", "uid-1"};

DeviceStatusValue Status() {
  return {
      .twins = {{.property = "mode",
                 .reported = std::nullopt,
                 .observed_desired = StatusValue{.value = "eco", .metadata = {{"writer", "a"}}}},
                {.property = "temp",
                 .reported = StatusValue{.value = "21", .metadata = {{"type", "int"}}},
                 .observed_desired = std::nullopt}},
      .state = "online",
      .last_online_time = "2026-01-01T00:00:00Z"};
}

TEST(DeviceStatusTest, ANewOneHasTheShapeThatKubeEdgesUsersKnow) {
  EXPECT_EQ(json::parse(NewDeviceStatus(kOwner, Status())), json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "DeviceStatus",
    "metadata": {"namespace": "plant", "name": "room-3", "ownerReferences": [
      {"apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device", "name": "room-3", "uid": "uid-1"}]},
    "status": {"twins": [
        {"propertyName": "mode", "observedDesired": {"value": "eco", "metadata": {"writer": "a"}}},
        {"propertyName": "temp", "reported": {"value": "21", "metadata": {"type": "int"}}}],
      "state": "online", "lastOnlineTime": "2026-01-01T00:00:00Z"}})"));
}

TEST(DeviceStatusTest, OneOfADeviceOfWhichNothingIsKnownHasNoEmptyMembers) {
  const json object = json::parse(NewDeviceStatus(kOwner, {}));
  EXPECT_EQ(object["status"], json::parse(R"({"twins": []})"));
}

// dc-4.3: else a write would be its own reason.
TEST(DeviceStatusTest, WhereNothingDiffersThereIsNothingToWrite) {
  json object = json::parse(NewDeviceStatus(kOwner, Status()));
  object["metadata"]["resourceVersion"] = "7";
  object["status"]["extensions"] = {{"other", "1"}};
  EXPECT_EQ(PlanDeviceStatus(object, kOwner, Status()), "");
}

TEST(DeviceStatusTest, APatchSaysWhatDiffersOnConditionOfTheVersion) {
  json object = json::parse(NewDeviceStatus(kOwner, Status()));
  object["metadata"]["resourceVersion"] = "7";
  DeviceStatusValue status = Status();
  status.state = "offline";
  EXPECT_EQ(
      json::parse(PlanDeviceStatus(object, kOwner, status)),
      json::parse(R"({"metadata": {"resourceVersion": "7"}, "status": {"state": "offline"}})"));
  status = Status();
  status.last_online_time = "";
  EXPECT_EQ(
      json::parse(PlanDeviceStatus(object, kOwner, status)),
      json::parse(R"({"metadata": {"resourceVersion": "7"}, "status": {"lastOnlineTime": null}})"));
  status = Status();
  status.twins.pop_back();
  EXPECT_EQ(json::parse(PlanDeviceStatus(object, kOwner, status))["status"]["twins"].size(), 1u);
}

TEST(DeviceStatusTest, OneWithoutAnOwnerGetsIt) {
  json object = json::parse(NewDeviceStatus(kOwner, Status()));
  EXPECT_TRUE(IsOwnedBy(object, "uid-1"));
  EXPECT_FALSE(IsOwnedBy(object, "uid-2"));
  EXPECT_FALSE(HasNoOwner(object));
  object["metadata"] = {{"resourceVersion", "7"}};
  EXPECT_TRUE(HasNoOwner(object));
  const json patch = json::parse(PlanDeviceStatus(object, kOwner, Status()));
  EXPECT_EQ(patch["metadata"]["ownerReferences"][0]["uid"], "uid-1");
  EXPECT_FALSE(patch.contains("status"));
}

// What a user, or another controller, has put there.
TEST(DeviceStatusTest, OfWrongShapesNothingThrows) {
  for (const char* text :
       {R"({})", R"([])", R"({"metadata":1,"status":[]})",
        R"({"metadata":{"ownerReferences":[1,{"uid":2}]},"status":{"twins":3}})"}) {
    const json object = json::parse(text);
    EXPECT_FALSE(IsOwnedBy(object, "uid-1"));
    EXPECT_TRUE(json::parse(PlanDeviceStatus(object, kOwner, Status())).is_object()) << text;
  }
}

}  // namespace
}  // namespace skerry::devicecontroller
