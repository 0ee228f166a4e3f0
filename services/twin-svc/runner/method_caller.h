// Who calls methods of devices.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_METHOD_CALLER_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_METHOD_CALLER_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_service.pb.h"

namespace skerry::twin {

class MethodCaller {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<v1::MethodResult> result)>;

  virtual ~MethodCaller() = default;
  // Any thread; does not block. `done` is called once, on any thread, within `timeout` from now.
  // UNAVAILABLE / MAPPER_AWAY where no mapper of the device's protocol is registered, or it takes
  // no calls; DEADLINE_EXCEEDED.
  virtual void CallMethod(v1::MethodCall call, absl::Duration timeout, Done done) = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_METHOD_CALLER_H_
