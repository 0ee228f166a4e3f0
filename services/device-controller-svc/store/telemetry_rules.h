// What both implementations of TelemetryStore decide alike.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_RULES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_RULES_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/device-controller-svc/store/telemetry_store.h"

namespace skerry::devicecontroller::telemetry_rules {

absl::Status CheckAppend(const TelemetryEvents& events, absl::Span<const TelemetryRow> rows);
absl::Status CheckQuery(const TelemetryQuery& query);
absl::Status CheckAggregate(absl::string_view property, absl::Time from, absl::Time to,
                            absl::Duration width);
absl::Status CheckModel(absl::string_view model);

// Where a page's readings are: from what is behind `after` on, so that no page reads through those
// before it. It may begin or end with readings of the time of `after`.
struct TimeRange {
  int64_t from_micros = 0;
  int64_t to_micros = 0;  // Without it.
};
TimeRange RangeOf(const TelemetryQuery& query);

// Finite, and so far from the largest double that sums stay finite.
std::optional<double> NumberOf(absl::string_view value);
// Whether a reading is kept by its own time, not that of its arrival.
bool KeptByTime(absl::Time time, absl::Time arrival);

}  // namespace skerry::devicecontroller::telemetry_rules

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_RULES_H_
