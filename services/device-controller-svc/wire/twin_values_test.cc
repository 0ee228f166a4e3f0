#include "services/device-controller-svc/wire/twin_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/base/error.h"

namespace skerry::devicecontroller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kSeconds = 1'767'225'600;

void Set(twin::v1::Value& to, const std::string& value, const std::string& writer) {
  to.set_value(value);
  to.set_writer(writer);
  to.mutable_write_time()->set_seconds(kSeconds);
  to.mutable_write_time()->set_nanos(5'000'000);
}

twin::v1::TwinReport Report() {
  twin::v1::TwinReport report;
  report.mutable_twin()->set_name("namespaces/plant/devices/room-3/twin");
  report.mutable_twin()->set_uid("uid-1");
  return report;
}

absl::StatusOr<ReportedTwin> Read(const twin::v1::TwinReport& report,
                                  const std::string& key = "plant/room-3") {
  return ReadTwinReport(key, report.SerializeAsString());
}

TEST(TwinValuesTest, ReportedValuesAreOfAllPropertiesTheStatusIsOfThoseThatAreDeclared) {
  twin::v1::TwinReport report = Report();
  auto& properties = *report.mutable_twin()->mutable_properties();
  Set(*properties["temp"].mutable_reported(), "21", "mapper");
  (*properties["temp"].mutable_reported()->mutable_metadata())["unit"] = "C";
  properties["temp"].set_declared(true);
  Set(*properties["mqtt"].mutable_reported(), "x", "client");
  properties["silent"].set_declared(true);
  report.mutable_twin()->mutable_state()->set_state("online");
  report.mutable_twin()->mutable_state()->mutable_last_seen_time()->set_seconds(kSeconds);
  const ReportedTwin twin = *Read(report);
  EXPECT_EQ(twin.device.value(), "plant/room-3");
  EXPECT_EQ(twin.uid, "uid-1");
  ASSERT_EQ(twin.values.size(), 2u);
  EXPECT_EQ(twin.values[0].property, "mqtt");
  EXPECT_EQ(twin.values[1].property, "temp");
  EXPECT_EQ(twin.values[1].writer, "mapper");
  EXPECT_THAT(twin.values[1].metadata, ElementsAre(Pair("unit", "C")));
  EXPECT_EQ(twin.values[1].time, absl::FromUnixMillis(kSeconds * 1000 + 5));
  ASSERT_EQ(twin.status.twins.size(), 1u);
  EXPECT_EQ(twin.status.twins[0].property, "temp");
  EXPECT_THAT(twin.status.twins[0].reported->metadata,
              ElementsAre(Pair("timestamp", "1767225600005"), Pair("unit", "C")));
  EXPECT_EQ(twin.status.state, "online");
  EXPECT_EQ(twin.status.last_online_time, "2026-01-01T00:00:00Z");
}

// ADR 30: who wrote what holds on the box, and what the cloud's has replaced, is to be seen.
TEST(TwinValuesTest, ObservedDesiredNamesItsWriterAndTheConflict) {
  twin::v1::TwinReport report = Report();
  twin::v1::Property& property = (*report.mutable_twin()->mutable_properties())["temp"];
  property.set_declared(true);
  Set(*property.mutable_desired(), "22", "cloud");
  Set(*property.mutable_conflict()->mutable_local(), "19", "panel");
  const ReportedTwin twin = *Read(report);
  ASSERT_EQ(twin.status.twins.size(), 1u);
  const StatusTwin& shown = twin.status.twins[0];
  EXPECT_FALSE(shown.reported.has_value());
  EXPECT_EQ(shown.observed_desired->value, "22");
  EXPECT_THAT(shown.observed_desired->metadata,
              ElementsAre(Pair("conflict", "19"), Pair("conflictWriter", "panel"),
                          Pair("timestamp", "1767225600005"), Pair("writer", "cloud")));
}

TEST(TwinValuesTest, TypesAreOfTheModelUnlessTheWriterNamesOne) {
  DeviceStatusValue status;
  status.twins = {{.property = "a",
                   .reported = StatusValue{.value = "1", .metadata = {{"type", "string"}}},
                   .observed_desired = StatusValue{.value = "2"}},
                  {.property = "b", .reported = StatusValue{.value = "3"}}};
  AddTypes({{"a", "int"}}, status);
  EXPECT_EQ(status.twins[0].reported->metadata["type"], "string");
  EXPECT_EQ(status.twins[0].observed_desired->metadata["type"], "int");
  EXPECT_THAT(status.twins[1].reported->metadata, IsEmpty());
}

TEST(TwinValuesTest, AMalformedReportSaysWhichFieldIsWrong) {
  const auto fault = [](const absl::StatusOr<ReportedTwin>& twin) {
    EXPECT_EQ(twin.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(GetErrorInfo(twin.status()).reason, "REPORT_MALFORMED");
    return GetErrorInfo(twin.status()).metadata["field"];
  };
  EXPECT_EQ(fault(Read(Report(), "room-3")), "key");
  EXPECT_EQ(fault(ReadTwinReport("plant/room-3", "\xff\xff")), "value");
  EXPECT_EQ(fault(Read(Report(), "plant/room-4")), "twin.name");
  twin::v1::TwinReport report = Report();
  report.mutable_twin()->clear_uid();
  EXPECT_EQ(fault(Read(report)), "twin.uid");
  report = Report();
  auto& property = (*report.mutable_twin()->mutable_properties())["temp"];
  property.mutable_reported()->mutable_write_time()->set_seconds(INT64_MAX);
  EXPECT_THAT(fault(Read(report)), HasSubstr("temp"));
  report = Report();
  for (int i = 0; i <= 1000; ++i) {
    (*report.mutable_twin()->mutable_properties())[std::to_string(i)].set_declared(true);
  }
  EXPECT_EQ(fault(Read(report)), "twin.properties");
}

TEST(TwinValuesTest, ReadingsAreInOrder) {
  twin::v1::Readings readings;
  readings.set_uid("uid-1");
  for (const char* value : {"b", "a"}) {
    twin::v1::Reading& reading = *readings.add_readings();
    reading.set_property("temp");
    reading.set_value(value);
    reading.mutable_time()->set_seconds(kSeconds);
  }
  const ReportedReadings read = *ReadReadings("plant/room-3", readings.SerializeAsString());
  EXPECT_EQ(read.uid, "uid-1");
  ASSERT_EQ(read.values.size(), 2u);
  EXPECT_EQ(read.values[0].value, "b");
  EXPECT_EQ(read.values[1].time, absl::FromUnixSeconds(kSeconds));
}

TEST(TwinValuesTest, MalformedReadingsSayWhichFieldIsWrong) {
  const auto fault = [](const absl::StatusOr<ReportedReadings>& readings) {
    EXPECT_EQ(GetErrorInfo(readings.status()).reason, "EVENT_MALFORMED");
    return GetErrorInfo(readings.status()).metadata["field"];
  };
  twin::v1::Readings readings;
  EXPECT_EQ(fault(ReadReadings("nothing", "")), "key");
  EXPECT_EQ(fault(ReadReadings("plant/room-3", "\xff")), "value");
  EXPECT_EQ(fault(ReadReadings("plant/room-3", readings.SerializeAsString())), "uid");
  readings.set_uid("uid-1");
  readings.add_readings();
  EXPECT_EQ(fault(ReadReadings("plant/room-3", readings.SerializeAsString())), "readings.time");
  for (int i = 0; i < 1000; ++i) readings.add_readings()->mutable_time()->set_seconds(kSeconds);
  EXPECT_EQ(fault(ReadReadings("plant/room-3", readings.SerializeAsString())), "readings");
}

}  // namespace
}  // namespace skerry::devicecontroller
