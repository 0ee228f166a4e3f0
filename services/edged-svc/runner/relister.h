// Keeps an eye on what runs: lists the runtime every second, and at once when something was
// changed.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_RELISTER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_RELISTER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edged {

// Any thread may call it. containerd 1.6 has no events over CRI, so listing is the truth and the
// signal.
class Relister {
 public:
  // number: of the list, counted from 1 in the order of their starts. Called on the relister's
  // thread.
  using Listener = std::function<void(uint64_t number, absl::StatusOr<std::vector<PodView>> pods,
                                      absl::Duration latency)>;

  Relister(Runtime& runtime, Clock& clock, absl::Duration period, Listener listener);
  // Ends the thread; a list in progress is waited for.
  ~Relister();

  void Start() { Kick(); }
  // Lists as soon as possible.
  void Kick();
  // The number that the next list to start will have: what has been done before this call is in it.
  uint64_t NextNumber() const;

 private:
  void List();

  Runtime& runtime_;
  Clock& clock_;
  const absl::Duration period_;
  const Listener listener_;
  mutable absl::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;
  exec::SerialExecutor::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  exec::SerialExecutor executor_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_RELISTER_H_
