// Streams that read on when they have answered.
#ifndef SKERRY_SERVICES_LIB_RPC_AWAITED_ANSWERS_H_
#define SKERRY_SERVICES_LIB_RPC_AWAITED_ANSWERS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/rpc/stream.h"

namespace skerry::rpc {

// While a stream waits for its next message, gRPC sends the window update for the last one at once,
// in a segment of its own. A stream that first answers sends both as one (ADR 29). Thread-safe.
class AwaitedAnswers {
 public:
  // An answer is waited for so long, or up to twice as long.
  static constexpr absl::Duration kPatience = absl::Milliseconds(100);

  explicit AwaitedAnswers(Clock& clock) : executor_("read-on", clock) {}

  // From on_message of `stream`: it reads on when it writes next, or when patience ends.
  void Expect(std::shared_ptr<StreamControl> stream);
  // For tests: returns when what is due has been done.
  void Settle() {
    executor_.Run([] {});
  }

 private:
  struct Awaited {
    std::shared_ptr<StreamControl> stream;
    uint32_t wait = 0;
  };

  void EndPatience();

  absl::Mutex mutex_;
  // What was expected since the last round, and before it. What has been answered is among them.
  std::vector<Awaited> recent_ ABSL_GUARDED_BY(mutex_);
  std::vector<Awaited> overdue_ ABSL_GUARDED_BY(mutex_);
  bool rounds_ ABSL_GUARDED_BY(mutex_) = false;  // A round is to come.
  exec::SerialExecutor executor_;
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_AWAITED_ANSWERS_H_
