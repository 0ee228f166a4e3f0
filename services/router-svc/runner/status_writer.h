// Writes what went through the rules into their status.
#ifndef SKERRY_SERVICES_ROUTER_SVC_RUNNER_STATUS_WRITER_H_
#define SKERRY_SERVICES_ROUTER_SVC_RUNNER_STATUS_WRITER_H_

#include <stop_token>

#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/router-svc/metrics.h"
#include "services/router-svc/runner/rule_book.h"

namespace skerry::router {

// Every `interval`, the rules whose status has changed since, whatever number of messages that
// were: what is written comes back by the watch and changes nothing. What could not be written
// waits for the next time. A thread of its own; references outlive Stop().
class StatusWriter {
 public:
  StatusWriter(absl::Duration interval, RuleBook& rules, kubeclient::Client& client, Clock& clock,
               RouterMetrics& metrics, log::Logger log);
  ~StatusWriter();  // Stop().

  void Start();
  // With what there is by now where `flush`. Idempotent.
  void Stop(bool flush = false);

 private:
  void WriteAll();
  void Next();

  const absl::Duration interval_;
  RuleBook& rules_;
  kubeclient::Client& client_;
  RouterMetrics& metrics_;
  log::Logger log_;
  std::stop_source stop_;
  bool failing_ = false;  // Of the executor: it was logged.
  exec::SerialExecutor executor_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_RUNNER_STATUS_WRITER_H_
