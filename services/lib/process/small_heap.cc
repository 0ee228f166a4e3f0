#include "services/lib/process/small_heap.h"

#include <malloc.h>
#include <signal.h>

namespace skerry::process {

SmallHeap::SmallHeap(absl::Duration interval) {
  mallopt(M_ARENA_MAX, 1);
  // Signals are for threads that wait for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this, interval] {
    absl::MutexLock lock(&mutex_);
    while (!mutex_.AwaitWithTimeout(absl::Condition(&over_), interval)) malloc_trim(0);
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SmallHeap::~SmallHeap() {
  {
    absl::MutexLock lock(&mutex_);
    over_ = true;
  }
  thread_.join();
}

}  // namespace skerry::process
