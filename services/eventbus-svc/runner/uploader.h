// Hands user messages to edgehub-svc, in order.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_UPLOADER_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_UPLOADER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::eventbus {

// One batch at a time. A batch that is put again after a crash has its numbers again, by which
// edgehub-svc knows it. All is on the executor, but Wake. What it is given outlives it.
class Uploader final {
 public:
  // That many from the first are stored. OK: all are. INVALID_ARGUMENT, FAILED_PRECONDITION: the
  // next one is refused for good. Else it can be put again. Once, on any thread.
  using PutDone = absl::AnyInvocable<void(size_t stored, const absl::Status& status)>;
  using Put = std::function<void(const std::vector<WaitingUpload>& uploads, PutDone done)>;
  struct Options {
    absl::Duration retry = absl::Seconds(5);
  };

  Uploader(const Options& options, Journal& journal, exec::SerialExecutor& executor, Put put,
           BusMetrics& metrics, log::Logger log);

  // Any thread: something is in the store.
  void Wake();

 private:
  void Pump();
  void OnPage(absl::StatusOr<std::vector<WaitingUpload>> page);
  void OnPut(const std::vector<uint64_t>& sequences, size_t stored, const absl::Status& status);
  void Next(absl::Duration pause);

  const Options options_;
  Journal& journal_;
  exec::SerialExecutor& executor_;
  const Put put_;
  BusMetrics& metrics_;
  const log::Logger log_;
  std::atomic<bool> woken_ = false;

  // On the executor.
  bool busy_ = false;    // A page is read, put, or waits for its next attempt.
  bool more_ = false;    // The store may have more.
  uint64_t cursor_ = 0;  // The last that edgehub-svc has, or has refused.
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_UPLOADER_H_
