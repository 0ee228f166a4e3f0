// Calls of methods of the box's devices, from local programs and from the cloud.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_METHOD_CALLS_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_METHOD_CALLS_H_

#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/twin-svc/runner/method_caller.h"

namespace skerry::twin {

inline constexpr char kMethodCommands[] = "devicemethods";

// Any thread may call it; `caller` outlives it, and every `done`.
class MethodCalls {
 public:
  explicit MethodCalls(MethodCaller& caller) : caller_(caller) {}

  // As MethodCaller; also RESOURCE_EXHAUSTED / METHOD_ANSWER_TOO_LARGE.
  void Call(v1::MethodCall call, absl::Duration timeout, MethodCaller::Done done);

  // A command of the link: its payload is a MethodCall, its response a MethodResult.
  void Execute(const hubclient::Command& command, hubclient::CommandDone done);

 private:
  MethodCaller& caller_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_METHOD_CALLS_H_
