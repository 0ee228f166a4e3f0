// What else a box depends on, tried once.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_LOCAL_PROBES_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_LOCAL_PROBES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/config.h"
#include "tools/skerryctl/doctor/core/observations.h"

namespace skerry::skerryctl {

// Whether somebody listens at "unix:/path" or "unix:///path". Does not block.
absl::Status ProbeUnixSocket(absl::string_view address);

// A session with the broker as eventbus-svc would have one, under a name of our own, ended at once.
// UNAVAILABLE: nobody is there; other codes as services/eventbus-svc/adapters/paho_errors.h.
absl::Status ProbeBroker(const eventbus::BusConfig& config, absl::Duration within);

Disk LookAtDisk(const std::string& folder);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_LOCAL_PROBES_H_
