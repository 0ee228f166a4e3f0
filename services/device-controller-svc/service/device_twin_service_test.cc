#include "services/device-controller-svc/service/device_twin_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.grpc.pb.h"
#include "services/device-controller-svc/service/testing/api_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Stub = v1::DeviceTwinService::Stub;

constexpr char kTwin[] = "namespaces/plant/devices/room-3/twin";

class DeviceTwinServiceTest : public ApiTest {
 protected:
  // As the controller does with an object and a report.
  void Desire(const DeviceRecord& record, const std::string& property, const std::string& value,
              int64_t generation) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_THAT(twins_->ApplyDesired({record.object.device, record.object.uid, record.incarnation},
                                     {{property, value, "kubectl", clock_.Now(), generation}}),
                IsOk());
  }
  void Report(const DeviceRecord& record, const std::string& property, const std::string& value,
              uint64_t sequence) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_THAT(
        twins_->ApplyReported(
            {record.object.device, record.object.uid, record.incarnation},
            {{property, value, {{"type", "float"}}, "mapper", clock_.Now(), {7, sequence}}}),
        IsOk());
  }
  absl::StatusOr<v1::DeviceTwin> Get(const v1::GetDeviceTwinRequest& request) {
    return Call(*stub_, &Stub::GetDeviceTwin, request);
  }
  static v1::GetDeviceTwinRequest Of(const std::string& name = kTwin) {
    v1::GetDeviceTwinRequest request;
    request.set_name(name);
    return request;
  }
  static v1::UpdateDeviceTwinRequest Sets(const std::string& property, const std::string& value) {
    v1::UpdateDeviceTwinRequest request;
    request.mutable_twin()->set_name(kTwin);
    (*request.mutable_twin()->mutable_properties())[property].mutable_desired()->set_value(value);
    return request;
  }
  absl::StatusOr<v1::DeviceTwin> Update(const v1::UpdateDeviceTwinRequest& request) {
    return Call(*stub_, &Stub::UpdateDeviceTwin, request);
  }
  // What the Device object says; "-" for none.
  std::string InSpec(const std::string& property) {
    const nlohmann::json object = objects_.Peek(*DeviceName::Parse("plant/room-3"));
    for (const auto& p : object["spec"]["properties"]) {
      if (p["name"] == property)
        return p.contains("desired") ? p["desired"]["value"].get<std::string>() : "-";
    }
    return "(no property)";
  }
  static v1::ListTwinHistoryRequest HistoryOf(const std::string& property) {
    v1::ListTwinHistoryRequest request;
    request.set_name(kTwin);
    request.set_property(property);
    return request;
  }
  absl::StatusOr<v1::ListTwinHistoryResponse> History(const v1::ListTwinHistoryRequest& request) {
    return Call(*stub_, &Stub::ListTwinHistory, request);
  }
  std::vector<std::string> Values(const v1::ListTwinHistoryRequest& request) {
    std::vector<std::string> values;
    const auto response = History(request);
    EXPECT_THAT(response, IsOk());
    for (const v1::TwinHistoryEntry& entry : response->entries())
      values.push_back(entry.value().value());
    return values;
  }

  const std::unique_ptr<Stub> stub_ = v1::DeviceTwinService::NewStub(channel_);
};

TEST_F(DeviceTwinServiceTest, TellsBothSidesAndWhereTheyDiffer) {
  const DeviceRecord record = Put("plant/room-3");
  Desire(record, "target", "21.5", 4);
  Report(record, "target", "20", 1);
  Report(record, "temperature", "19.8", 2);
  Desire(record, "heating", "true", 5);
  const absl::StatusOr<v1::DeviceTwin> twin = Get(Of());
  ASSERT_THAT(twin, IsOk());
  EXPECT_EQ(twin->name(), kTwin);
  EXPECT_EQ(twin->uid(), record.object.uid);
  ASSERT_EQ(twin->properties_size(), 3);
  const v1::TwinProperty& target = twin->properties().at("target");
  EXPECT_EQ(target.desired().value(), "21.5");
  EXPECT_EQ(target.desired().version(), "4.0");
  EXPECT_EQ(target.desired().writer(), "kubectl");
  EXPECT_EQ(target.reported().value(), "20");
  EXPECT_EQ(target.reported().version(), "7.1");
  EXPECT_EQ(target.reported().metadata().at("type"), "float");
  EXPECT_TRUE(target.reported().has_write_time());
  EXPECT_TRUE(target.reported().has_arrive_time());
  EXPECT_TRUE(target.delta());
  EXPECT_FALSE(twin->properties().at("temperature").delta()) << "nothing is desired of it";
  EXPECT_TRUE(twin->properties().at("heating").delta()) << "nothing was reported of it";

  v1::GetDeviceTwinRequest request = Of();
  request.add_properties("target");
  request.add_properties("none");
  EXPECT_EQ(Get(request)->properties_size(), 1);
  request = Of();
  request.set_delta_only(true);
  EXPECT_EQ(Get(request)->properties_size(), 2);
  Report(record, "target", "21.5", 3);
  EXPECT_EQ(Get(request)->properties_size(), 1);
  EXPECT_THAT(Get(Of("namespaces/plant/devices/none/twin")).status(), HasReason("DEVICE_UNKNOWN"));
  EXPECT_THAT(Get(Of("namespaces/plant/devices/room-3")).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("/twin")));
}

TEST_F(DeviceTwinServiceTest, AReportedPropertyThatIsGoneIsInTheHistoryAlone) {
  const DeviceRecord record = Put("plant/room-3");
  Report(record, "rate", "3", 1);
  ASSERT_THAT(twins_->ApplyReported({record.object.device, record.object.uid, record.incarnation},
                                    {{"rate", std::nullopt, {}, "", clock_.Now(), {7, 2}}}),
              IsOk());
  EXPECT_EQ(Get(Of())->properties_size(), 0);
  const auto history = History(HistoryOf("rate"));
  ASSERT_THAT(history, IsOk());
  ASSERT_EQ(history->entries_size(), 2);
  EXPECT_FALSE(history->entries(0).value().has_value());
  EXPECT_EQ(history->entries(1).value().value(), "3");
}

TEST_F(DeviceTwinServiceTest, AFormerDevicesValuesAreNotThoseOfTheNewOne) {
  Desire(Put("plant/room-3"), "target", "21.5", 4);
  ASSERT_THAT(registry_->Put({.device = *DeviceName::Parse("plant/room-3"), .uid = "anew"}),
              IsOk());
  const absl::StatusOr<v1::DeviceTwin> twin = Get(Of());
  ASSERT_THAT(twin, IsOk());
  EXPECT_EQ(twin->properties_size(), 0);
  EXPECT_EQ(twin->uid(), "anew");
}

TEST_F(DeviceTwinServiceTest, TellsHowItWas) {
  const DeviceRecord record = Put("plant/room-3");
  Report(record, "temperature", "19", 1);
  const absl::Time then = clock_.Now();
  Report(record, "temperature", "20", 2);
  v1::GetDeviceTwinRequest request = Of();
  *request.mutable_read_time() = rpc::ToProto(then);
  const absl::StatusOr<v1::DeviceTwin> twin = Get(request);
  ASSERT_THAT(twin, IsOk());
  EXPECT_EQ(twin->properties().at("temperature").reported().value(), "19");
  EXPECT_EQ(twin->uid(), record.object.uid);
  EXPECT_EQ(twin->etag(), "");
  *request.mutable_read_time() = rpc::ToProto(then - absl::Hours(1));
  EXPECT_THAT(Get(request).status(), HasReason("DEVICE_UNKNOWN"));
  request.mutable_read_time()->set_nanos(-1);
  EXPECT_THAT(Get(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DeviceTwinServiceTest, AnUpdateIsInTheObjectAndReadAtOnce) {
  const DeviceRecord record = Put("plant/room-3");
  Desire(record, "target", "21.5", 1);
  Report(record, "target", "21.5", 1);
  const absl::StatusOr<v1::DeviceTwin> updated = Update(Sets("target", "23"));
  ASSERT_THAT(updated, IsOk());
  EXPECT_EQ(InSpec("target"), "23");
  for (const v1::DeviceTwin& twin : {*updated, *Get(Of())}) {
    EXPECT_EQ(twin.properties().at("target").desired().value(), "23");
    EXPECT_EQ(twin.properties().at("target").desired().version(), "2.0");
    EXPECT_EQ(twin.properties().at("target").desired().writer(), "cloud");
    EXPECT_TRUE(twin.properties().at("target").delta());
    EXPECT_EQ(twin.etag(), absl::StrCat(record.incarnation, ".2"));
  }
  v1::ListTwinHistoryRequest request = HistoryOf("target");
  request.set_side(v1::ListTwinHistoryRequest::SIDE_DESIRED);
  EXPECT_THAT(Values(request), ElementsAre("23", "21.5"));
}

TEST_F(DeviceTwinServiceTest, WhatIsSoAlreadyKeepsItsVersion) {
  Desire(Put("plant/room-3"), "target", "21.5", 1);
  const v1::DeviceTwin before = *Get(Of());
  v1::UpdateDeviceTwinRequest request;
  *request.mutable_twin() = before;  // A twin that was read, as it is.
  const absl::StatusOr<v1::DeviceTwin> after = Update(request);
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->properties().at("target").desired().version(), "1.0");
  EXPECT_EQ(after->etag(), before.etag());
}

TEST_F(DeviceTwinServiceTest, AStaleEtagIsRefusedWithBothValuesAndTheWriter) {
  const DeviceRecord record = Put("plant/room-3");
  Desire(record, "target", "21.5", 1);
  v1::UpdateDeviceTwinRequest request = Sets("target", "25");
  request.mutable_twin()->set_etag(Get(Of())->etag());
  ASSERT_THAT(Update(Sets("target", "23")), IsOk());
  const absl::Status refused = Update(request).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(refused, HasReason("DESIRED_CHANGED"));
  EXPECT_THAT(GetErrorInfo(refused).metadata,
              UnorderedElementsAre(Pair("property", "target"), Pair("value", "23"),
                                   Pair("refused_value", "25"), Pair("writer", "cloud"),
                                   Pair("version", "2.0")));
  EXPECT_EQ(InSpec("target"), "23");
  request.mutable_twin()->set_etag(Get(Of())->etag());
  EXPECT_THAT(Update(request), IsOk());
  EXPECT_EQ(InSpec("target"), "25");
}

TEST_F(DeviceTwinServiceTest, AStaleVersionIsRefused) {
  Desire(Put("plant/room-3"), "target", "21.5", 1);
  ASSERT_THAT(Update(Sets("target", "23")), IsOk());
  v1::UpdateDeviceTwinRequest request = Sets("target", "25");
  v1::TwinValue& value =
      *(*request.mutable_twin()->mutable_properties())["target"].mutable_desired();
  value.set_version("1.0");
  EXPECT_THAT(Update(request).status(), HasReason("DESIRED_CHANGED"));
  value.set_version("2.0");
  EXPECT_THAT(Update(request), IsOk());
}

// kubectl was faster, and the controller has not seen it yet.
TEST_F(DeviceTwinServiceTest, ARaceIsLostAtTheObject) {
  Desire(Put("plant/room-3"), "target", "21.5", 1);
  v1::UpdateDeviceTwinRequest request = Sets("target", "25");
  request.mutable_twin()->set_etag(Get(Of())->etag());
  objects_.Write(*DeviceName::Parse("plant/room-3"), "target", "24");
  const absl::Status refused = Update(request).status();
  EXPECT_THAT(refused, HasReason("DESIRED_CHANGED"));
  EXPECT_EQ(GetErrorInfo(refused).metadata.at("value"), "24");
  EXPECT_EQ(InSpec("target"), "24");
  request.mutable_twin()->clear_etag();
  EXPECT_THAT(Update(request), IsOk()) << "without one the last writer wins";
  EXPECT_EQ(InSpec("target"), "25");
}

TEST_F(DeviceTwinServiceTest, AMaskTakesOut) {
  Desire(Put("plant/room-3"), "target", "21.5", 1);
  v1::UpdateDeviceTwinRequest request;
  request.mutable_twin()->set_name(kTwin);
  request.mutable_update_mask()->add_paths("properties.target.desired");
  const absl::StatusOr<v1::DeviceTwin> twin = Update(request);
  ASSERT_THAT(twin, IsOk());
  EXPECT_FALSE(twin->properties().at("target").desired().has_value());
  EXPECT_FALSE(twin->properties().at("target").delta());
  EXPECT_EQ(InSpec("target"), "-");
  request = Sets("heating", "true");
  request.mutable_update_mask()->add_paths("*");
  ASSERT_THAT(Update(Sets("target", "22")), IsOk());
  ASSERT_THAT(Update(request), IsOk());
  EXPECT_EQ(InSpec("target"), "-");
  EXPECT_EQ(InSpec("heating"), "true");
}

TEST_F(DeviceTwinServiceTest, TheModelSaysWhatMayBeDesired) {
  Put("plant/room-3");
  EXPECT_THAT(Update(Sets("heating", "maybe")), IsOk()) << "the model is not known yet";
  models_.Put(device::ThermostatModel());
  const absl::Status hot = Update(Sets("target", "99")).status();
  EXPECT_THAT(hot, HasReason("VALUE_RANGE"));
  EXPECT_EQ(GetErrorInfo(hot).metadata.at("property"), "target");
  EXPECT_THAT(Update(Sets("target", "warm")).status(), HasReason("VALUE_TYPE"));
  EXPECT_THAT(Update(Sets("heating", "true")).status(), HasReason("READ_ONLY"));
  EXPECT_THAT(Update(Sets("volume", "11")).status(), HasReason("PROPERTY_UNKNOWN"));
  EXPECT_EQ(InSpec("target"), "21.5");
  EXPECT_THAT(Update(Sets("target", "25")), IsOk());
}

TEST_F(DeviceTwinServiceTest, BadUpdatesNameTheField) {
  Put("plant/room-3");
  const auto refused = [&](const v1::UpdateDeviceTwinRequest& request, const std::string& text) {
    EXPECT_THAT(Update(request).status(),
                StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
  };
  v1::UpdateDeviceTwinRequest request = Sets("target", "22");
  request.mutable_twin()->set_name("x");
  refused(request, "twin.name");
  request = Sets("target", "22");
  request.mutable_twin()->set_etag("x");
  refused(request, "twin.etag");
  request = Sets("target", "22");
  request.mutable_update_mask()->add_paths("properties.target");
  refused(request, "update_mask");
  request.mutable_update_mask()->set_paths(0, "properties.no spaces.desired");
  refused(request, "update_mask");
  request.mutable_update_mask()->set_paths(0, "*");
  request.mutable_update_mask()->add_paths("*");
  refused(request, "update_mask");
  request = Sets("target", "22");
  (*request.mutable_twin()->mutable_properties())["target"].mutable_desired()->set_version("new");
  refused(request, "twin.properties[target].desired.version");
  refused(Sets("no spaces", "1"), "no spaces");
  request.Clear();
  request.mutable_twin()->set_name(kTwin);
  refused(request, "twin.properties");
  refused(Sets("target", std::string((32u << 10) + 1, '1')), "32768");
  EXPECT_THAT(Update(Sets("gone", "1")).status(), HasReason("PROPERTY_UNKNOWN"));
  EXPECT_EQ(InSpec("target"), "21.5");
}

TEST_F(DeviceTwinServiceTest, AnApiServerThatIsAwayIsAnError) {
  Put("plant/room-3");
  objects_.SetHook([](const DeviceName&) { return absl::UnavailableError("no API server"); });
  EXPECT_THAT(Update(Sets("target", "22")).status(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Get(Of())->properties_size(), 0);
}

TEST_F(DeviceTwinServiceTest, ATwinThatDoesNotFitIsAskedForInParts) {
  const DeviceRecord record = Put("plant/room-3");
  for (uint64_t i = 1; i <= 120; ++i)
    Report(record, absl::StrCat("p", i), std::string(32u << 10, 'x'), i);
  EXPECT_THAT(Get(Of()).status(), HasReason("TWIN_TOO_LARGE"));
  v1::GetDeviceTwinRequest request = Of();
  request.add_properties("p7");
  EXPECT_THAT(Get(request), IsOk());
  for (int i = 0; i < 1000; ++i) request.add_properties("p7");
  EXPECT_THAT(Get(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DeviceTwinServiceTest, ListsHistoryInPages) {
  const DeviceRecord record = Put("plant/room-3");
  for (uint64_t i = 1; i <= 130; ++i) Report(record, "temperature", absl::StrCat(i), i);
  v1::ListTwinHistoryRequest request = HistoryOf("temperature");
  request.set_page_size(60);
  std::vector<std::string> values;
  int pages = 0;
  do {
    const absl::StatusOr<v1::ListTwinHistoryResponse> page = History(request);
    ASSERT_THAT(page, IsOk());
    for (const auto& entry : page->entries()) values.push_back(entry.value().value());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(values.size(), 130u);
  EXPECT_EQ(values.front(), "130");
  EXPECT_EQ(values.back(), "1");

  request.set_oldest_first(true);
  request.set_page_size(2);
  EXPECT_THAT(Values(request), ElementsAre("1", "2"));
  request.set_page_token(History(request)->next_page_token());
  EXPECT_THAT(Values(request), ElementsAre("3", "4"));
  request.set_oldest_first(false);
  EXPECT_THAT(History(request).status(), HasReason("PAGE_TOKEN_INVALID")) << "of another order";
}

TEST_F(DeviceTwinServiceTest, HistoryIsOfARangeAndSaysWhatWasReplaced) {
  const DeviceRecord record = Put("plant/room-3");
  for (uint64_t i = 1; i <= 5; ++i) Report(record, "temperature", absl::StrCat(i), i);
  v1::ListTwinHistoryRequest request = HistoryOf("temperature");
  *request.mutable_end_time() = rpc::ToProto(clock_.Now());
  *request.mutable_start_time() = rpc::ToProto(clock_.Now() - absl::Seconds(2));
  EXPECT_THAT(Values(request), ElementsAre("4", "3"));
  const v1::ListTwinHistoryResponse all = *History(HistoryOf("temperature"));
  EXPECT_FALSE(all.entries(0).has_replace_time());
  EXPECT_TRUE(all.entries(1).has_replace_time());
  EXPECT_EQ(all.entries(1).uid(), record.object.uid);
  request.set_side(static_cast<v1::ListTwinHistoryRequest::Side>(9));
  EXPECT_THAT(History(request).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("side")));
  EXPECT_THAT(History(HistoryOf("")).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("property")));
}

TEST_F(DeviceTwinServiceTest, APageOfHistoryEndsWhereItIsLarge) {
  const DeviceRecord record = Put("plant/room-3");
  for (uint64_t i = 1; i <= 150; ++i)
    Report(record, "log", absl::StrCat(i, std::string(32000, 'x')), i);
  v1::ListTwinHistoryRequest request = HistoryOf("log");
  request.set_page_size(1000);
  int entries = 0;
  do {
    const absl::StatusOr<v1::ListTwinHistoryResponse> page = History(request);
    ASSERT_THAT(page, IsOk());
    entries += page->entries_size();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(entries, 150);
}

}  // namespace
}  // namespace skerry::devicecontroller
