// Rows of bulk imports.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_IMPORT_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_IMPORT_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/devicecontroller/v1/device_service.pb.h"
#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/service/device_objects.h"
#include "services/device-controller-svc/service/service_metrics.h"
#include "services/lib/rpc/call_scope.h"

namespace skerry::devicecontroller {

// Any thread may call these.

constexpr int kImportRowsMax = 1000;
constexpr size_t kManifestBytesMax = 256u << 10;
constexpr int kManifestDepthMax = 64;

// A JSON object within those bounds. INVALID_ARGUMENT / MANIFEST_INVALID.
absl::StatusOr<nlohmann::json> ParseManifest(absl::string_view text);

// A Device of devices.kubeedge.io/v1beta1 that its model, where that is known, allows; its name.
// INVALID_ARGUMENT says what is wrong.
absl::StatusOr<DeviceName> CheckManifest(const nlohmann::json& manifest, DeviceModels& models);

// All rows in order, as far as the scope's deadline allows. INVALID_ARGUMENT only where there are
// none, or too many.
absl::Status ImportDevices(const v1::BulkImportDevicesRequest& request, const rpc::CallScope& scope,
                           DeviceObjects& objects, DeviceModels& models, ServiceMetrics& metrics,
                           v1::BulkImportDevicesResponse& response);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_IMPORT_H_
