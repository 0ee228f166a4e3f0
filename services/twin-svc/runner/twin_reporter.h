// Reports the twins to the cloud.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_REPORTER_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_REPORTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/report_plan.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

inline constexpr char kTwinReports[] = "twins";

// Puts the newest state of each twin that has changed, after its commit, while edgehub-svc is
// there, and tells the desk what that has. It keeps names, and as many twins as are under way. Any
// thread may call OnEvents, Changed and Wake; the rest is on `executor`, which is the hub client's,
// and is stopped before this is destroyed. References outlive it.
class TwinReporter {
 public:
  struct Options {
    absl::Duration interval = absl::Seconds(1);  // From one report of a twin to the next.
    size_t under_way_max = 256;
    absl::Duration retry = absl::Seconds(1);  // When too much waits for edgehub-svc.
  };
  TwinReporter(const Options& options, TwinDesk& desk, hubclient::HubClient& hub,
               exec::SerialExecutor& executor, Clock& clock, TwinMetrics& metrics, log::Logger log)
      : options_(options),
        desk_(desk),
        hub_(hub),
        executor_(executor),
        clock_(clock),
        metrics_(metrics),
        log_(std::move(log)),
        plan_(options.interval, options.under_way_max) {}

  // What a commit changed.
  void OnEvents(const std::vector<TwinEvent>& events);
  // These are to be reported as they are.
  void Changed(const std::vector<DeviceName>& devices);
  // edgehub-svc is there.
  void Wake();

 private:
  // To be told to the plan: `gone`, or changed.
  void Note(const DeviceName& device, bool gone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Post() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Pump();
  void Put(const DeviceName& device);
  void Ended(const DeviceName& device, uint64_t revision, const absl::Status& status);

  const Options options_;
  TwinDesk& desk_;
  hubclient::HubClient& hub_;
  exec::SerialExecutor& executor_;
  Clock& clock_;
  TwinMetrics& metrics_;
  const log::Logger log_;

  absl::Mutex mutex_;
  std::map<DeviceName, bool> noted_ ABSL_GUARDED_BY(mutex_);
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;
  // On the executor.
  ReportPlan plan_;
  absl::Duration wake_ = absl::InfiniteDuration();  // Of the timer that is set.
  exec::SerialExecutor::TimerId timer_ = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_REPORTER_H_
