// HandlerRunner over a container runtime and the network.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_HANDLERS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_HANDLERS_H_

#include <string>

#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/runner/handler_runner.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"

namespace skerry::edged {

// All references outlive it and what it has begun.
class Handlers final : public HandlerRunner {
 public:
  Handlers(Runtime& runtime, exec::ThreadPool& network, exec::SerialExecutor& timers)
      : runtime_(runtime), network_(network), timers_(timers) {}

  void Run(const std::string& container_id, const std::string& address, const Handler& handler,
           absl::Duration timeout, Done done) override;

 private:
  Runtime& runtime_;
  exec::ThreadPool& network_;  // Blocks up to a probe's timeout.
  exec::SerialExecutor& timers_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_HANDLERS_H_
