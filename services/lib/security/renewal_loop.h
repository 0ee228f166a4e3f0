// Renews a service's certificates for as long as it runs.
#ifndef SKERRY_SERVICES_LIB_SECURITY_RENEWAL_LOOP_H_
#define SKERRY_SERVICES_LIB_SECURITY_RENEWAL_LOOP_H_

#include <prometheus/counter.h>

#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/renewal.h"

namespace skerry::security {

// Passes over the certificates, on a thread of its own, when one is due; at least every hour,
// because clocks are set; and ten seconds after a pass that failed. Metrics:
// skerry_certificate_expire_timestamp_seconds{certificate} and
// skerry_certificate_renewals_total{result="renewed"|"failed"}.
//
// Used by one thread. What it is given outlives it.
class RenewalLoop {
 public:
  using Pass = std::function<absl::StatusOr<RenewalReport>()>;

  // first: what the pass found that the service's start made.
  RenewalLoop(const RenewalReport& first, Pass pass, Clock& clock, metrics::Registry& registry,
              const log::Logger& log);
  ~RenewalLoop() { Stop(); }

  // Waits for a pass that is under way. Idempotent.
  void Stop() { executor_.Stop(); }
  // Returns when everything that is due has been done.
  void Settle() {
    executor_.Run([] {});
  }

 private:
  void Run();
  void Observe(const RenewalReport& report);
  void RunAfter(absl::Duration delay);

  const Pass pass_;
  Clock& clock_;
  metrics::Registry& registry_;
  const log::Logger log_;
  prometheus::Counter& renewed_;
  prometheus::Counter& failed_;
  exec::SerialExecutor executor_;  // Last: its thread uses the rest.
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_RENEWAL_LOOP_H_
