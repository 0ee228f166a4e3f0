// Work that is done again and again.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_PERIODIC_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_PERIODIC_H_

#include <functional>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edged {

// Does `work` at once and then `period` after each end, on a thread of its own: what hangs there
// holds up nothing else. The destructor waits for it.
class Periodic {
 public:
  Periodic(absl::string_view name, Clock& clock, absl::Duration period, std::function<void()> work)
      : period_(period), work_(std::move(work)), executor_(name, clock) {
    executor_.Post([this] { Run(); });
  }
  ~Periodic() { executor_.Stop(); }

 private:
  void Run() {
    work_();
    executor_.PostAfter(period_, [this] { Run(); });
  }

  const absl::Duration period_;
  const std::function<void()> work_;
  exec::SerialExecutor executor_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_PERIODIC_H_
