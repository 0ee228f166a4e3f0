// Whether the container runtime does its work.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_RUNTIME_HEALTH_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_RUNTIME_HEALTH_H_

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edged {

// Asks the runtime every period, on a thread of its own (a hanging runtime holds up nothing else),
// and listens to the lists. Any thread may call it.
class RuntimeHealth {
 public:
  struct Options {
    absl::Duration period = absl::Seconds(10);
    // Without a good list for so long the node is not ready, as the kubelet's PLEG.
    absl::Duration silence_max = absl::Minutes(3);
  };
  struct State {
    std::string name, version, message;
    bool ready = false;
  };
  // Called after every question, on the own thread. force: somebody wants to hear it whatever it
  // is.
  using Listener = std::function<void(const State& state, bool force)>;

  RuntimeHealth(Runtime& runtime, Clock& clock, Options options, Listener listener);
  ~RuntimeHealth() { executor_.Stop(); }

  void Start() { Ask(false); }
  void ReportNow() { Ask(true); }
  void Relisted(const absl::Status& status);
  State state() const;

 private:
  void Ask(bool force);
  void Run(bool force);

  Runtime& runtime_;
  Clock& clock_;
  const Options options_;
  const Listener listener_;
  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_list_ ABSL_GUARDED_BY(mutex_);
  bool list_failed_ ABSL_GUARDED_BY(mutex_) = false;
  exec::SerialExecutor::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  exec::SerialExecutor executor_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_RUNTIME_HEALTH_H_
