// Objects of every wrong shape: nothing throws, and each answer is a value or a clear error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "services/lib/base/error.h"
#include "services/lib/device/desired_values.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/device/sample_manifests.h"
#include "services/lib/testing/json_shapes.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::device {
namespace {

using nlohmann::json;
using skerry::testing::ForEachShape;
using skerry::testing::HasReason;
using skerry::testing::StatusIs;

void ExpectClear(const absl::Status& status, const char* reason) {
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(status, HasReason(reason));
}

// Every value of a manifest becomes every kind of value in turn.
class DeviceShapesTest : public ::testing::Test {
 protected:
  static void TryDevices(const json& device, const json& model) {
    const ModelSpec model_spec = *ParseModel(model);
    const size_t values = ForEachShape(device, [&](const json& changed, const std::string& path) {
      EXPECT_NO_THROW(TryDevice(changed, model_spec)) << path;
    });
    EXPECT_GT(values, 20u);
  }
  static void TryModels(const json& device, const json& model) {
    const DeviceSpec device_spec = *ParseDevice(device);
    ForEachShape(model, [&](const json& changed, const std::string& path) {
      EXPECT_NO_THROW(TryModel(changed, device_spec)) << path;
    });
  }

 private:
  static void TryDevice(const json& document, const ModelSpec& model) {
    const absl::StatusOr<DeviceSpec> device = ParseDevice(document);
    if (device.ok()) return TryDesired(*device, model);
    ExpectClear(device.status(), "DEVICE_INVALID");
    EXPECT_NE(GetErrorInfo(device.status()).metadata["field"], "");
  }
  static void TryModel(const json& document, const DeviceSpec& device) {
    const absl::StatusOr<ModelSpec> model = ParseModel(document);
    if (model.ok()) return TryDesired(device, *model);
    ExpectClear(model.status(), "MODEL_INVALID");
    EXPECT_NE(GetErrorInfo(model.status()).metadata["field"], "");
  }
  static void TryDesired(const DeviceSpec& device, const ModelSpec& model) {
    const absl::Status status = CheckDesiredValues(device, model);
    if (!status.ok()) ExpectClear(status, "DESIRED_INVALID");
  }
};

TEST_F(DeviceShapesTest, AnswersAnyDevice) {
  TryDevices(ThermostatDevice(), ThermostatModel());
  TryDevices(CounterDevice(), CounterModel());
  TryDevices(CameraDevice(), CameraModel());
}

TEST_F(DeviceShapesTest, AnswersAnyModel) {
  TryModels(ThermostatDevice(), ThermostatModel());
  TryModels(CounterDevice(), CounterModel());
  TryModels(CameraDevice(), CameraModel());
}

}  // namespace
}  // namespace skerry::device
