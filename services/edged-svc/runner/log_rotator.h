// Keeps the logs of containers from filling the disk, as the kubelet does.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_LOG_ROTATOR_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_LOG_ROTATOR_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/metrics.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {

// A log that has grown to `bytes_max` is renamed, and the runtime goes on in a new one. Its state
// is the files alone: whatever a kill or a power cut has left half done, the next Run mends. Used
// by one thread; what it is given outlives it.
class LogRotator {
 public:
  struct Options {
    int64_t bytes_max = 10 << 20;
    int64_t files_max = 5;  // With the current one; at least 2.
  };

  LogRotator(Runtime& runtime, Clock& clock, Options options, EdgedMetrics& metrics,
             log::Logger log)
      : runtime_(runtime), clock_(clock), options_(options), metrics_(metrics), log_(log) {}

  // Looks at the logs of all containers once.
  void Run();

 private:
  void Look(const ContainerView& container);
  absl::Status Rotate(const ContainerView& container);

  Runtime& runtime_;
  Clock& clock_;
  const Options options_;
  EdgedMetrics& metrics_;
  const log::Logger log_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_LOG_ROTATOR_H_
