// Checks of gRPC's health checking protocol, for probes.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_GRPC_PROBE_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_GRPC_PROBE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/adapters/open_calls.h"

namespace skerry::edged {

// Any thread may call it. `done` is called once, on a thread of gRPC's, which it must not block:
// OK, or FAILED_PRECONDITION with the kubelet's words.
class GrpcProbes {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // What is in flight ends as FAILED_PRECONDITION.
  ~GrpcProbes() { calls_->EndAll(); }

  // Without TLS, as the kubelet's. service: empty is the server as a whole.
  void Check(const std::string& host, int32_t port, const std::string& service,
             absl::Duration timeout, Done done);

 private:
  const std::shared_ptr<OpenCalls> calls_ = std::make_shared<OpenCalls>();
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_GRPC_PROBE_H_
