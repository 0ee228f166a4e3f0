// Runs the actions of probes and hooks: a command inside the container, an HTTP GET, a TCP connect,
// a gRPC health check, a sleep.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_HANDLER_RUNNER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_HANDLER_RUNNER_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// Any thread may call it. Actions do not wait for one another, however long one takes.
class HandlerRunner {
 public:
  enum class Use { kProbe, kHook };
  // OK: the action succeeded. FAILED_PRECONDITION: it ran and says no (exit code, HTTP status,
  // refused, timed out), with the kubelet's words. UNAVAILABLE: it could not be run, which says
  // nothing about the container.
  using Done = absl::AnyInvocable<void(absl::Status)>;

  virtual ~HandlerRunner() = default;
  // address: of the pod, for handlers that name no host. Returns at once; `done` is called once, on
  // another thread.
  virtual void Run(Use use, const std::string& container_id, const std::string& address,
                   const Handler& handler, absl::Duration timeout, Done done) = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_HANDLER_RUNNER_H_
