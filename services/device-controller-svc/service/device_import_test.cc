#include "services/device-controller-svc/service/device_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/clock.h"
#include "services/device-controller-svc/service/testing/fake_device_objects.h"
#include "services/lib/device/sample_manifests.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/testing/json_shapes.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

TEST(ParseManifestTest, TakesOneObject) {
  EXPECT_THAT(ParseManifest(device::ThermostatDevice().dump()), IsOk());
  for (const char* text : {"", "{", "[]", "null", "{} {}", "{\"a\": \"\xff\"}", "3"}) {
    EXPECT_THAT(ParseManifest(text).status(), HasReason("MANIFEST_INVALID")) << text;
  }
}

TEST(ParseManifestTest, IsBoundedInSizeAndDepth) {
  EXPECT_THAT(ParseManifest("{\"a\":\"" + std::string(kManifestBytesMax, 'x') + "\"}").status(),
              HasReason("MANIFEST_INVALID"));
  const auto nested = [](size_t levels) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_THAT(ParseManifest(nested(kManifestDepthMax)), IsOk());
  EXPECT_THAT(ParseManifest(nested(kManifestDepthMax + 1)).status(), HasReason("MANIFEST_INVALID"));
  EXPECT_THAT(ParseManifest(nested(100000)).status(), HasReason("MANIFEST_INVALID"));
}

// Whatever is in a row, it is refused or taken.
TEST(CheckManifestTest, NoShapeOfAManifestThrows) {
  FakeDeviceModels models;
  models.Put(device::ThermostatModel());
  const size_t values = testing::ForEachShape(
      device::ThermostatDevice(), [&](const nlohmann::json& changed, const std::string& path) {
        if (!changed.is_object()) return;  // ParseManifest has seen to that.
        const absl::StatusOr<DeviceName> name = CheckManifest(changed, models);
        EXPECT_TRUE(name.ok() || name.status().code() == absl::StatusCode::kInvalidArgument)
            << path << ": " << name.status();
      });
  EXPECT_GT(values, 40u);
}

TEST(ImportDevicesTest, RowsBeyondTheDeadlineAreNotTried) {
  FakeDeviceObjects objects;
  FakeDeviceModels models;
  metrics::Registry registry("test");
  ServiceMetrics metrics(registry);
  v1::BulkImportDevicesRequest request;
  request.add_manifests(device::ThermostatDevice().dump());
  v1::BulkImportDevicesResponse response;
  // Too short to answer when a row has been written.
  const rpc::CallScope scope{.deadline = absl::Now() + absl::Milliseconds(100)};
  ASSERT_THAT(ImportDevices(request, scope, objects, models, metrics, response), IsOk());
  EXPECT_THAT(rpc::FromProto(response.results(0).status()), HasReason("NOT_TRIED"));
  EXPECT_EQ(response.failed_count(), 1);
  EXPECT_TRUE(objects.Peek(*DeviceName::Parse("plant/room-3")).is_null());
  EXPECT_EQ(metrics.imports_failed.Value(), 1);
}

}  // namespace
}  // namespace skerry::devicecontroller
