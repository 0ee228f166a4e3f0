// Asks the ops port of a running service what /readyz says.
#ifndef SKERRY_SERVICES_LIB_METRICS_OPS_CLIENT_H_
#define SKERRY_SERVICES_LIB_METRICS_OPS_CLIENT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::metrics {

// OK when the service at `address` (host:port; 0.0.0.0 and [::] are this machine) is ready.
// UNAVAILABLE says what it waits for, or why nothing answered within the time. Blocks; any thread.
absl::Status AskReady(absl::string_view address, absl::Duration within);

}  // namespace skerry::metrics

#endif  // SKERRY_SERVICES_LIB_METRICS_OPS_CLIENT_H_
