// Timed waits of Abseil, and so those of gRPC (Debian's waits by Abseil), by the monotonic clock.
//
// The library lets each end at an instant of the wall clock. When that is set back by an hour, all
// that are under way take an hour longer: heartbeats, back-off, deadlines and reconnects stand
// still. This definition takes the place of the library's, whose callers go through its dynamic
// symbol; monotonic_waits_test shows that they do. docs/adr/0012-timed-waits.md
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/synchronization/internal/waiter.h"
#include "absl/time/clock.h"
#include "services/lib/base/check.h"

namespace absl {
ABSL_NAMESPACE_BEGIN
namespace synchronization_internal {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t Nanos(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// The monotonic clock at the wall clock's `deadline`, as it looks now. absl::Now() follows a step
// after two seconds only, gRPC's clock at once: which of them the deadline comes from is not known,
// so the earlier instant is taken. Who is woken too early looks again; while the two disagree that
// is not more than a hundred times a second.
struct timespec MonotonicInstant(int64_t deadline) {
  const int64_t kernel = Nanos(CLOCK_REALTIME);
  const int64_t abseil = GetCurrentTimeNanos();
  const bool stepped = std::max(kernel, abseil) - std::min(kernel, abseil) > kSecond / 10;
  const int64_t left =
      std::max(deadline - std::max(kernel, abseil), stepped ? kSecond / 100 : int64_t{0});
  const int64_t instant = Nanos(CLOCK_MONOTONIC) + left;
  return {.tv_sec = instant / kSecond, .tv_nsec = instant % kSecond};
}

}  // namespace

bool Waiter::Wait(KernelTimeout t) {
  struct timespec until = {};
  if (t.has_timeout()) until = MonotonicInstant(t.ns_);
  for (;;) {
    int32_t posted = futex_.load(std::memory_order_relaxed);
    while (posted != 0) {
      if (futex_.compare_exchange_weak(posted, posted - 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return true;
      }
    }
    if (syscall(SYS_futex, &futex_, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0,
                t.has_timeout() ? &until : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY) == 0) {
      continue;
    }
    if (errno == ETIMEDOUT) return false;
    SKERRY_CHECK(errno == EINTR || errno == EAGAIN);
  }
}

}  // namespace synchronization_internal
ABSL_NAMESPACE_END
}  // namespace absl
