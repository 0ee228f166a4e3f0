#include "services/twin-svc/wire/report_wire.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace skerry::twin {
namespace {

const DeviceName kPump = *DeviceName::Parse("plant/pump-1");

Value Of(const std::string& value, const std::string& writer) {
  return {.value = value, .writer = writer, .time = absl::FromUnixSeconds(1)};
}

Twin Full() {
  return {.uid = "u1",
          .generation = 3,
          .version = 9,
          .properties = {{"a",
                          {.declared = true,
                           .cloud = Of("1", "cloud"),
                           .local = Of("2", "panel"),
                           .reported = Of("3", "mapper"),
                           .desired_version = 5,
                           .reported_version = 6}},
                         {"b",
                          {.declared = true,
                           .cloud = Of("7", "cloud"),
                           .conflict = Conflict{Of("8", "panel"), Of("7", "cloud"), 3},
                           .desired_version = 4}}},
          .state = {.state = "online"}};
}

v1::TwinReport Report(const Twin& twin, size_t bytes_max = kReportBytesMax) {
  const SerializedReport serialized = TwinReportOf(kPump, twin, bytes_max);
  v1::TwinReport report;
  EXPECT_TRUE(report.ParseFromString(serialized.value));
  EXPECT_EQ(report.left_out(), serialized.left_out);
  return report;
}

TEST(TwinReportTest, HasWhatIsDesiredAndReported) {
  const v1::TwinReport report = Report(Full());
  EXPECT_EQ(report.left_out(), v1::TwinReport::LEFT_OUT_UNSPECIFIED);
  EXPECT_EQ(report.twin().uid(), "u1");
  EXPECT_EQ(report.twin().state().state(), "online");
  const v1::Property& a = report.twin().properties().at("a");
  EXPECT_EQ(a.desired().value(), "2");
  EXPECT_EQ(a.reported().value(), "3");
  EXPECT_EQ(a.desired_version(), 5u);
  EXPECT_FALSE(a.has_cloud_desired());
  EXPECT_FALSE(a.has_local_desired());
  EXPECT_EQ(report.twin().properties().at("b").conflict().local().value(), "8");
}

TEST(TwinReportTest, LeavesOutConflictsFirst) {
  Twin twin = Full();
  twin.properties["b"].conflict =
      Conflict{Of(std::string(4000, 'x'), "panel"), Of("7", "cloud"), 3};
  const v1::TwinReport report = Report(twin, 3000);
  EXPECT_EQ(report.left_out(), v1::TwinReport::LEFT_OUT_CONFLICTS);
  EXPECT_FALSE(report.twin().properties().at("b").has_conflict());
  EXPECT_EQ(report.twin().properties().at("b").desired().value(), "7");
}

TEST(TwinReportTest, ThenWhatTheCloudKnows) {
  Twin twin = Full();
  twin.properties["b"].cloud = Of(std::string(4000, 'x'), "cloud");
  const v1::TwinReport report = Report(twin, 3000);
  EXPECT_EQ(report.left_out(), v1::TwinReport::LEFT_OUT_CLOUD_DESIRED);
  EXPECT_FALSE(report.twin().properties().at("b").has_desired());
  EXPECT_EQ(report.twin().properties().at("b").desired_version(), 4u);
  EXPECT_EQ(report.twin().properties().at("a").desired().value(), "2");
}

// The largest that twin-svc lets the box write, beside the largest that the cloud can declare.
TEST(TwinReportTest, WhatRemainsFitsTheLink) {
  Twin twin{.uid = "u1"};
  const std::string cloud(3000, 'c');
  for (size_t i = 0; i < Twin::kPropertiesMax; ++i) {
    Property& property = twin.properties[absl::StrCat(std::string(124, 'n'), i)];
    property.cloud = Of(cloud, "cloud");
    property.reported = Of(std::string(Twin::kBytesMax / Twin::kPropertiesMax - 130, 'x'), "m");
    property.conflict = Conflict{Of(cloud, "panel"), Of(cloud, "cloud"), 1};
    property.desired_version = property.reported_version = UINT64_MAX;
  }
  const v1::TwinReport report = Report(twin);
  EXPECT_EQ(report.left_out(), v1::TwinReport::LEFT_OUT_CLOUD_DESIRED);
  EXPECT_LE(report.ByteSizeLong(), kReportBytesMax);
}

}  // namespace
}  // namespace skerry::twin
