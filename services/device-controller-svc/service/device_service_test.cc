#include "services/device-controller-svc/service/device_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/devicecontroller/v1/device_service.grpc.pb.h"
#include "services/device-controller-svc/service/testing/api_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stub = v1::DeviceService::Stub;
using v1::BulkImportDevicesResponse;

class DeviceServiceTest : public ApiTest {
 protected:
  absl::StatusOr<v1::Device> Get(const std::string& name) {
    v1::GetDeviceRequest request;
    request.set_name(name);
    return Call(*stub_, &Stub::GetDevice, request);
  }
  static v1::ListDevicesRequest ListOf(const std::string& parent, int page_size = 0) {
    v1::ListDevicesRequest request;
    request.set_parent(parent);
    request.set_page_size(page_size);
    return request;
  }
  absl::StatusOr<v1::ListDevicesResponse> List(const v1::ListDevicesRequest& request) {
    return Call(*stub_, &Stub::ListDevices, request);
  }
  std::vector<std::string> Names(const v1::ListDevicesRequest& request) {
    std::vector<std::string> names;
    const absl::StatusOr<v1::ListDevicesResponse> response = List(request);
    EXPECT_THAT(response, IsOk());
    for (const v1::Device& device : response->devices())
      names.push_back(device.name().substr(device.name().rfind('/') + 1));
    return names;
  }
  absl::StatusOr<v1::Device> Disable(const std::string& name, const std::string& reason,
                                     const std::string& etag = "") {
    v1::DisableDeviceRequest request;
    request.set_name(name);
    request.set_reason(reason);
    request.set_etag(etag);
    return Call(*stub_, &Stub::DisableDevice, request);
  }
  absl::StatusOr<v1::Device> Enable(const std::string& name, const std::string& etag = "") {
    v1::EnableDeviceRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return Call(*stub_, &Stub::EnableDevice, request);
  }
  absl::StatusOr<BulkImportDevicesResponse> Import(const std::vector<std::string>& manifests,
                                                   bool validate_only = false) {
    v1::BulkImportDevicesRequest request;
    for (const std::string& manifest : manifests) request.add_manifests(manifest);
    request.set_validate_only(validate_only);
    return Call(*stub_, &Stub::BulkImportDevices, request);
  }

  const std::unique_ptr<Stub> stub_ = v1::DeviceService::NewStub(channel_);
};

TEST_F(DeviceServiceTest, TellsADevice) {
  const DeviceRecord record = Put("plant/room-3");
  const absl::StatusOr<v1::Device> device = Get("namespaces/plant/devices/room-3");
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device->name(), "namespaces/plant/devices/room-3");
  EXPECT_EQ(device->uid(), record.object.uid);
  EXPECT_EQ(device->generation_id(), absl::StrCat(record.incarnation));
  EXPECT_EQ(device->node(), "edge-1");
  EXPECT_EQ(device->model(), "thermostat");
  EXPECT_EQ(device->protocol(), "modbus");
  EXPECT_TRUE(device->enabled());
  EXPECT_EQ(device->etag(), record.etag());
  EXPECT_EQ(device->create_time().seconds(), absl::ToUnixSeconds(record.create_time));
  EXPECT_THAT(Get("namespaces/plant/devices/none").status(), HasReason("DEVICE_UNKNOWN"));
  EXPECT_THAT(Get("plant/room-3").status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("plant/room-3")));
}

TEST_F(DeviceServiceTest, ANewDeviceOfANameHasAnotherGenerationId) {
  const std::string first = (Put("plant/a"), Get("namespaces/plant/devices/a"))->generation_id();
  ASSERT_THAT(registry_->Put({.device = *DeviceName::Parse("plant/a"), .uid = "anew"}), IsOk());
  EXPECT_NE(Get("namespaces/plant/devices/a")->generation_id(), first);
}

TEST_F(DeviceServiceTest, ListsWhatAFilterNames) {
  Put("hall/lamp", "edge-1");
  Put("plant/a", "edge-1");
  Put("plant/b", "edge-2");
  ASSERT_THAT(Disable("namespaces/plant/devices/b", "leaks"), IsOk());
  EXPECT_THAT(Names(ListOf("namespaces/-")), ElementsAre("lamp", "a", "b"));
  EXPECT_THAT(Names(ListOf("namespaces/plant")), ElementsAre("a", "b"));
  v1::ListDevicesRequest request = ListOf("namespaces/-");
  request.set_node("edge-1");
  EXPECT_THAT(Names(request), ElementsAre("lamp", "a"));
  request.set_model("pump");
  EXPECT_THAT(Names(request), ElementsAre());
  request = ListOf("namespaces/-");
  request.set_enabled(false);
  EXPECT_THAT(Names(request), ElementsAre("b"));
  request.set_enabled(true);
  EXPECT_THAT(Names(request), ElementsAre("lamp", "a"));
}

TEST_F(DeviceServiceTest, ListsInPages) {
  for (int i = 0; i < 120; ++i) Put(absl::StrCat("plant/d-", 100 + i));
  EXPECT_EQ(List(ListOf("namespaces/-"))->devices_size(), 50);
  EXPECT_EQ(List(ListOf("namespaces/-", 5000))->devices_size(), 120);
  v1::ListDevicesRequest request = ListOf("namespaces/-", 60);
  const v1::ListDevicesResponse first = *List(request);
  ASSERT_EQ(first.devices_size(), 60);
  ASSERT_NE(first.next_page_token(), "");
  request.set_page_token(first.next_page_token());
  const v1::ListDevicesResponse second = *List(request);
  ASSERT_EQ(second.devices_size(), 60);
  EXPECT_EQ(second.devices(0).name(), "namespaces/plant/devices/d-160");
  EXPECT_EQ(second.next_page_token(), "");
  request.set_node("edge-1");
  EXPECT_THAT(List(request).status(), HasReason("PAGE_TOKEN_INVALID")) << "of another filter";
  request.set_page_token("nonsense");
  EXPECT_THAT(List(request).status(), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(List(ListOf("plant")).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("parent")));
  EXPECT_THAT(List(ListOf("namespaces/-", -1)).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
}

TEST_F(DeviceServiceTest, APageEndsWhereItIsLarge) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(registry_->Put({.device = *DeviceName::Make("plant", absl::StrCat("d-", 1000 + i)),
                                .uid = "u"}),
                IsOk());
    const std::string name = absl::StrCat("namespaces/plant/devices/d-", 1000 + i);
    if (i % 2 == 0) continue;
    ASSERT_THAT(registry_->SetEnabled(*DeviceName::Make("plant", absl::StrCat("d-", 1000 + i)),
                                      false, std::string(1024, 'r'), {}),
                IsOk());
  }
  int count = 0;
  v1::ListDevicesRequest request = ListOf("namespaces/-", 1000);
  do {
    const absl::StatusOr<v1::ListDevicesResponse> page = List(request);
    ASSERT_THAT(page, IsOk());
    EXPECT_LT(page->ByteSizeLong(), 4u << 20);
    count += page->devices_size();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(count, 1000);
}

TEST_F(DeviceServiceTest, AnOperatorDisablesAndEnables) {
  const DeviceRecord record = Put("plant/a");
  const std::string name = "namespaces/plant/devices/a";
  EXPECT_THAT(Disable(name, "").status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("reason")));
  const absl::Status stale = Disable(name, "leaks", "0").status();
  EXPECT_EQ(stale.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(GetErrorInfo(stale).metadata.at("etag"), record.etag());
  EXPECT_TRUE(switched().empty());

  const absl::StatusOr<v1::Device> disabled = Disable(name, "leaks", record.etag());
  ASSERT_THAT(disabled, IsOk());
  EXPECT_FALSE(disabled->enabled());
  EXPECT_EQ(disabled->disable_reason(), "leaks");
  EXPECT_NE(disabled->etag(), record.etag());
  ASSERT_EQ(switched().size(), 1u) << "the controller is told";
  EXPECT_FALSE(switched()[0].enabled);

  EXPECT_TRUE(Enable(name, disabled->etag())->enabled());
  EXPECT_EQ(Get(name)->disable_reason(), "");
  EXPECT_THAT(Enable("namespaces/plant/devices/none").status(), HasReason("DEVICE_UNKNOWN"));
}

TEST_F(DeviceServiceTest, AWatchSeesAllThenChanges) {
  for (int i = 0; i < 120; ++i) Put(absl::StrCat("plant/d-", 100 + i));
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(kPatience));
  v1::WatchDevicesRequest request;
  request.set_parent("namespaces/-");
  auto reader = stub_->WatchDevices(&context, request);
  v1::WatchDevicesResponse response;
  for (int i = 0; i < 120; ++i) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.upserted().name(), absl::StrCat("namespaces/plant/devices/d-", 100 + i));
  }
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.has_synced());

  ASSERT_THAT(Disable("namespaces/plant/devices/d-100", "leaks"), IsOk());
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().disable_reason(), "leaks") << "the API publishes what it changes";
  Put("hall/lamp");
  services_->Publish(*DeviceName::Parse("hall/lamp"));
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().name(), "namespaces/hall/devices/lamp");
  ASSERT_THAT(registry_->Delete(*DeviceName::Parse("hall/lamp"), ""), IsOk());
  services_->Publish(*DeviceName::Parse("hall/lamp"));
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.deleted().name(), "namespaces/hall/devices/lamp");

  services_->SetFollowing(false);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_THAT(rpc::FromGrpc(reader->Finish()), HasReason("NOT_LEADER"));
}

TEST_F(DeviceServiceTest, AWatchOfANamespaceSeesNoOther) {
  Put("hall/lamp");
  Put("plant/a");
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(kPatience));
  v1::WatchDevicesRequest request;
  request.set_parent("namespaces/plant");
  auto reader = stub_->WatchDevices(&context, request);
  v1::WatchDevicesResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().name(), "namespaces/plant/devices/a");
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.has_synced());
  services_->Publish(*DeviceName::Parse("hall/lamp"));
  services_->Publish(*DeviceName::Parse("plant/a"));
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().name(), "namespaces/plant/devices/a");
  services_->Drain();
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_THAT(rpc::FromGrpc(reader->Finish()), HasReason("DRAINING"));
}

TEST_F(DeviceServiceTest, EachRowOfAnImportHasItsResult) {
  models_.Put(device::ThermostatModel());
  const nlohmann::json good = device::ThermostatDevice();
  nlohmann::json moved = good;
  moved["spec"]["nodeName"] = "edge-2";
  nlohmann::json hot = good;
  hot["spec"]["properties"][0]["desired"]["value"] = "99";
  const auto imported = Import(
      {good.dump(), good.dump(), moved.dump(), hot.dump(), "{", device::CounterModel().dump()});
  ASSERT_THAT(imported, IsOk());
  ASSERT_EQ(imported->results_size(), 6);
  EXPECT_EQ(imported->results(0).outcome(), BulkImportDevicesResponse::OUTCOME_CREATED);
  EXPECT_EQ(imported->results(0).name(), "namespaces/plant/devices/room-3");
  EXPECT_EQ(imported->results(1).outcome(), BulkImportDevicesResponse::OUTCOME_UNCHANGED);
  EXPECT_EQ(imported->results(2).outcome(), BulkImportDevicesResponse::OUTCOME_UPDATED);
  EXPECT_THAT(rpc::FromProto(imported->results(3).status()), HasReason("DESIRED_INVALID"));
  EXPECT_THAT(rpc::FromProto(imported->results(4).status()), HasReason("MANIFEST_INVALID"));
  EXPECT_THAT(rpc::FromProto(imported->results(5).status()),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("kind")));
  EXPECT_EQ(imported->failed_count(), 3);
  EXPECT_EQ(objects_.Peek(*DeviceName::Parse("plant/room-3")), moved);
}

TEST_F(DeviceServiceTest, ARowThatTheApiServerRefusesStopsNoOther) {
  objects_.SetHook([](const DeviceName& device) -> absl::Status {
    if (device.name() != "room-3") return absl::OkStatus();
    return absl::InvalidArgumentError(std::string(5000, 'x'));
  });
  const auto imported = Import({device::ThermostatDevice().dump(), device::CounterDevice().dump()});
  ASSERT_THAT(imported, IsOk());
  EXPECT_EQ(imported->results(0).outcome(), BulkImportDevicesResponse::OUTCOME_FAILED);
  EXPECT_LT(imported->results(0).status().message().size(), 1100u) << "1,000 of them fit an answer";
  EXPECT_EQ(imported->results(1).outcome(), BulkImportDevicesResponse::OUTCOME_CREATED);
}

TEST_F(DeviceServiceTest, ValidatingWritesNothing) {
  const auto checked = Import({device::ThermostatDevice().dump(), "[]"}, true);
  ASSERT_THAT(checked, IsOk());
  EXPECT_EQ(checked->results(0).outcome(), BulkImportDevicesResponse::OUTCOME_VALID);
  EXPECT_EQ(checked->results(1).outcome(), BulkImportDevicesResponse::OUTCOME_FAILED);
  EXPECT_TRUE(objects_.Peek(*DeviceName::Parse("plant/room-3")).is_null());
  EXPECT_THAT(Import({}).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Import(std::vector<std::string>(1001, "{}")).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("1001 rows")));
}

}  // namespace
}  // namespace skerry::devicecontroller
