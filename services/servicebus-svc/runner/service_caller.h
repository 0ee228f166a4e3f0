// Commands of type "http": calls of services of this box.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_SERVICE_CALLER_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_SERVICE_CALLER_H_

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/http/caller.h"
#include "services/lib/hubclient/hub_types.h"
#include "services/servicebus-svc/metrics.h"

namespace skerry::servicebus {

// Any thread may call it. At most `workers` calls run, `waiting_max` wait; what comes beyond is
// refused (CALLS_BUSY). References outlive it.
class ServiceCaller {
 public:
  struct Options {
    size_t workers = 8;
    size_t waiting_max = 32;  // Of at most 256 KiB each.
    absl::Duration timeout_max = absl::Seconds(60);
  };
  using Done = absl::AnyInvocable<void(absl::Status status, std::string response)>;

  ServiceCaller(Options options, HttpAllowList allowed, http::Caller& caller, Clock& clock,
                ServiceBusMetrics& metrics);
  ~ServiceCaller();  // Stop().

  // Does not block. `done` is told on any thread; never where Stop() ended a call that had begun:
  // nobody knows then whether the service did it, and the hub says so.
  void Call(hubclient::Command command, Done done);

  // Refuses what comes (DRAINING), and waits for what there is, up to `deadline` of the clock's
  // Monotonic().
  void Drain(absl::Duration deadline);
  // Ends calls that run. Idempotent.
  void Stop();

 private:
  struct Task {
    std::string key;
    http::Call call;
    absl::Duration until;  // By the monotonic clock.
    Done done;
  };
  absl::StatusOr<http::Call> Read(const hubclient::Command& command) const;
  void Run(Task task);
  void Perform(Task& task);

  const Options options_;
  const HttpAllowList allowed_;
  http::Caller& caller_;
  Clock& clock_;
  ServiceBusMetrics& metrics_;
  std::stop_source stop_;
  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  size_t tasks_ ABSL_GUARDED_BY(mutex_) = 0;  // Waiting and running.
  exec::ThreadPool pool_;
};

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_SERVICE_CALLER_H_
