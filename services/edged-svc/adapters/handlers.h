// HandlerRunner over a container runtime and the network.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_HANDLERS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_HANDLERS_H_

#include <string>

#include "services/edged-svc/adapters/grpc_probe.h"
#include "services/edged-svc/adapters/network_probe.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/runner/handler_runner.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edged {

// All references outlive it. Destroying it ends what is under way on the network.
class Handlers final : public HandlerRunner {
 public:
  Handlers(Runtime& runtime, exec::SerialExecutor& timers) : runtime_(runtime), timers_(timers) {}

  void Run(Use use, const std::string& container_id, const std::string& address,
           const Handler& handler, absl::Duration timeout, Done done) override;

 private:
  void RunExec(Use use, const std::string& container_id, const Handler& handler,
               absl::Duration timeout, Done done);
  void RunHttp(Use use, const std::string& host, const Handler& handler, absl::Duration timeout,
               Done done);

  Runtime& runtime_;
  exec::SerialExecutor& timers_;
  NetworkProbes network_;
  GrpcProbes grpc_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_HANDLERS_H_
