#include "services/twin-svc/wire/twin_wire.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::IsOk;
using skerry::testing::StatusIs;

Value Of(const std::string& value, const std::string& writer) {
  return {.value = value,
          .metadata = {{"type", "int"}},
          .writer = writer,
          .time = absl::FromUnixNanos(1'700'000'000'000'000'001)};
}

Property Full() {
  return {.declared = true,
          .cloud = Of("1", "cloud"),
          .local = Of("2", "panel"),
          .reported = Of(std::string("\0\xff", 2), "mapper"),
          .conflict = Conflict{Of("3", "panel"), Of("4", "cloud"), 7},
          .desired_version = 5,
          .reported_version = 6};
}

TEST(TwinWireTest, APropertyComesBackAsItWas) {
  EXPECT_EQ(*FromProto(ToProto(Full())), Full());
  EXPECT_EQ(*FromProto(ToProto(Property{})), Property{});
  Property property = Full();
  property.conflict = Conflict{Of("3", "panel"), std::nullopt, 7};
  property.local.reset();
  EXPECT_EQ(*FromProto(ToProto(property)), property);
}

TEST(TwinWireTest, ATimeThatIsNoneIsAnError) {
  v1::Property message = ToProto(Full());
  message.mutable_reported()->mutable_write_time()->set_seconds(1ll << 60);
  EXPECT_THAT(FromProto(message).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TwinWireTest, AStateComesBackAsItWas) {
  EXPECT_EQ(*FromProto(ToProto(DeviceState{})), DeviceState{});
  const DeviceState full = {.state = "offline",
                            .reason = "cable",
                            .change_time = absl::FromUnixSeconds(2),
                            .last_seen = absl::FromUnixSeconds(1),
                            .writer = "mapper"};
  EXPECT_EQ(*FromProto(ToProto(full)), full);
  v1::DeviceState bad = ToProto(full);
  bad.mutable_last_seen_time()->set_nanos(-1);
  EXPECT_THAT(FromProto(bad).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TwinWireTest, ATwinTellsWhatHolds) {
  const DeviceName device = *DeviceName::Make("plant", "pump-1");
  const Twin twin{
      .uid = "u", .generation = 3, .version = 9, .properties = {{"a", Full()}, {"b", {}}}};
  const v1::Twin message = ToProto(device, twin);
  EXPECT_EQ(message.name(), "namespaces/plant/devices/pump-1/twin");
  EXPECT_EQ(message.version(), 9u);
  EXPECT_EQ(message.state().state(), "unknown");
  EXPECT_EQ(message.properties().at("a").desired().value(), "2");
  EXPECT_FALSE(message.properties().at("b").has_desired());
  const std::set<std::string> only = {"b", "unknown"};
  EXPECT_EQ(ToProto(device, twin, &only).properties_size(), 1);
}

TEST(TwinWireTest, AMessageIsNotLargerThanToldAndNotMuchSmaller) {
  Twin twin{.uid = std::string(36, 'u'), .state = {.state = "online", .reason = "r"}};
  const auto check = [&] {
    const size_t real = ToProto(*DeviceName::Make("plant", "pump-1"), twin).ByteSizeLong();
    EXPECT_GE(MessageBytesOf(twin), real);
    EXPECT_LE(MessageBytesOf(twin), 512 + 4 * real);
  };
  check();
  const Value value{.value = std::string(40, 'v'),
                    .metadata = {{"type", "string"}, {"timestamp", "1764241200000"}},
                    .writer = "mqtt",
                    .time = absl::FromUnixNanos(1764241200123456789)};
  Property property{
      .declared = true, .desired_version = 1ull << 60, .reported_version = 1ull << 60};
  property.cloud = value;
  property.local = value;
  property.reported = value;
  property.conflict = Conflict{value, value, 1ll << 60};
  for (int i = 0; i < 100; ++i) twin.properties[absl::StrCat("property-", i)] = property;
  check();
  property = {};
  property.reported = Value{.value = "1"};
  for (int i = 0; i < 100; ++i) twin.properties[absl::StrCat("property-", i)] = property;
  check();
}

TEST(TwinWireTest, NamesAreReadBack) {
  const absl::StatusOr<DeviceName> device =
      DeviceOf("name", "namespaces/plant/devices/pump-1/twin");
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device->value(), "plant/pump-1");
  for (const std::string& name :
       {std::string(), std::string("plant/pump-1"), std::string("namespaces/plant/devices/pump-1"),
        std::string("namespaces/plant/devices/pump-1/twin/"),
        std::string("namespaces/Plant/devices/pump-1/twin"),
        absl::StrCat("namespaces/plant/devices/", std::string(1 << 20, 'a'), "/twin")}) {
    const absl::Status status = DeviceOf("name", name).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << name.substr(0, 80);
    EXPECT_LT(status.message().size(), 700u);
  }
}

}  // namespace
}  // namespace skerry::twin
