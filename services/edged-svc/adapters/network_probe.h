// TCP connects and HTTP GETs with a deadline, for probes and hooks.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NETWORK_PROBE_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NETWORK_PROBE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// OK: connected. FAILED_PRECONDITION: refused, timed out. Blocks up to `timeout`.
absl::Status ProbeTcp(const std::string& host, int32_t port, absl::Duration timeout);

// OK: a status from 200 to 399. FAILED_PRECONDITION with the kubelet's words otherwise. Reads at
// most 10 KiB of the answer. HTTPS takes any certificate, as the kubelet's probes do. Blocks up to
// `timeout`.
absl::Status ProbeHttp(const std::string& host, const Handler& handler, absl::Duration timeout);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NETWORK_PROBE_H_
