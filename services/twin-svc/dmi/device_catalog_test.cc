#include "services/twin-svc/dmi/device_catalog.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/testing/sample_device.h"

namespace skerry::twin {
namespace {

using nlohmann::json;
using skerry::testing::HasReason;
using skerry::testing::IsOk;

const DeviceName kBoiler = *DeviceName::Parse("plant/boiler-7");
const ObjectKey kModel = *ObjectKey::Parse("plant/boiler");

class DeviceCatalogTest : public ::testing::Test {
 protected:
  absl::Status Put(const json& device) {
    return catalog_.PutDevice(*device::ParseDevice(device), device);
  }

  DeviceCatalog catalog_;
};

TEST_F(DeviceCatalogTest, ADeviceIsToldWithItsModel) {
  ASSERT_THAT(Put(SampleDevice()), IsOk());
  EXPECT_EQ(catalog_.Find(kBoiler)->protocol, "modbus");
  EXPECT_EQ(catalog_.Find(kBoiler)->model, kModel);
  EXPECT_THAT(catalog_.Device(kBoiler), HasReason("MODEL_UNKNOWN"));
  ASSERT_THAT(catalog_.PutModel(kModel, SampleModel()), IsOk());
  const absl::StatusOr<v1beta1::Device> device = catalog_.Device(kBoiler);
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device->name(), "boiler-7");
  EXPECT_EQ(device->namespace_(), "plant");
  EXPECT_EQ(device->spec().properties(0).desired().value(), "60");
  // Of the model.
  EXPECT_EQ(device->spec().protocol().configdata().data().count("parity"), 1u);
  EXPECT_EQ(catalog_.Model(kModel)->spec().properties_size(), 2);
}

TEST_F(DeviceCatalogTest, WhatCanNotBeToldLeavesWhatWas) {
  ASSERT_THAT(catalog_.PutModel(kModel, SampleModel()), IsOk());
  ASSERT_THAT(Put(SampleDevice()), IsOk());
  json broken = SampleDevice();
  broken["spec"]["protocol"]["configData"]["list"] = json::array();
  EXPECT_THAT(Put(broken), HasReason("DEVICE_INVALID"));
  EXPECT_THAT(catalog_.Device(kBoiler), IsOk());
  json broken_model = SampleModel();
  broken_model["spec"]["properties"][0]["unit"] = 5;
  EXPECT_THAT(catalog_.PutModel(kModel, broken_model), HasReason("DEVICE_INVALID"));
  EXPECT_THAT(catalog_.Device(kBoiler), IsOk());
}

TEST_F(DeviceCatalogTest, ADeletedModelStaysForItsDevices) {
  ASSERT_THAT(catalog_.PutModel(kModel, SampleModel()), IsOk());
  ASSERT_THAT(Put(SampleDevice()), IsOk());
  catalog_.DropModel(kModel);
  EXPECT_THAT(catalog_.Device(kBoiler), IsOk());
  EXPECT_EQ(catalog_.DevicesOf(kModel), std::set<DeviceName>{kBoiler});
  catalog_.DropDevice(kBoiler);
  EXPECT_THAT(catalog_.Device(kBoiler), HasReason("DEVICE_UNKNOWN"));
  EXPECT_THAT(catalog_.Model(kModel), HasReason("MODEL_UNKNOWN"));
  EXPECT_TRUE(catalog_.DevicesOf(kModel).empty());
  EXPECT_EQ(catalog_.device_bytes(), 0u);
}

TEST_F(DeviceCatalogTest, ADeviceMayChangeItsModel) {
  ASSERT_THAT(catalog_.PutModel(kModel, SampleModel()), IsOk());
  ASSERT_THAT(Put(SampleDevice()), IsOk());
  json other = SampleDevice();
  other["spec"]["deviceModelRef"]["name"] = "kettle";
  ASSERT_THAT(Put(other), IsOk());
  EXPECT_TRUE(catalog_.DevicesOf(kModel).empty());
  EXPECT_THAT(catalog_.Model(kModel), IsOk());
  EXPECT_THAT(catalog_.Device(kBoiler), HasReason("MODEL_UNKNOWN"));
}

TEST_F(DeviceCatalogTest, AFingerprintIsThatOfWhatIsTold) {
  ASSERT_THAT(catalog_.PutModel(kModel, SampleModel()), IsOk());
  ASSERT_THAT(Put(SampleDevice()), IsOk());
  const std::string before = FingerprintOf(*catalog_.Device(kBoiler));
  EXPECT_EQ(before.size(), 15u);
  json device = SampleDevice();
  device["metadata"]["annotations"] = {{"a", "b"}};
  device["status"] = json::object();
  ASSERT_THAT(Put(device), IsOk());
  EXPECT_EQ(FingerprintOf(*catalog_.Device(kBoiler)), before);
  device["spec"]["properties"][0]["reportCycle"] = 20000;
  ASSERT_THAT(Put(device), IsOk());
  EXPECT_NE(FingerprintOf(*catalog_.Device(kBoiler)), before);
}

// 10,000 of them are some megabytes.
TEST_F(DeviceCatalogTest, ADeviceTakesLittle) {
  json device = SampleDevice();
  json& properties = device["spec"]["properties"];
  for (int i = 0; i < 20; ++i) {
    properties.push_back(properties[0]);
    properties.back()["name"] = absl::StrCat("p", i);
  }
  ASSERT_THAT(Put(device), IsOk());
  EXPECT_LT(catalog_.device_bytes(), 1500u);
  EXPECT_GT(device.dump().size(), 6000u);
}

}  // namespace
}  // namespace skerry::twin
