// What PostgresTelemetryStore forgets.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_RETENTION_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_RETENTION_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/postgres/pool.h"

namespace skerry::devicecontroller {

// As TelemetryStore::DropBefore. Partitions that are over and that no other model has readings in
// are dropped whole.
absl::StatusOr<int64_t> DropTelemetryBefore(postgres::Pool& pool, absl::string_view model,
                                            absl::Time time);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_RETENTION_H_
