#include "services/lib/process/stop.h"

#include "absl/base/attributes.h"
#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace skerry::process {
namespace {

// Signals are the process's, and so is this.
ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);
bool stopped ABSL_GUARDED_BY(mutex) = false;

}  // namespace

bool AwaitStop(absl::Duration at_most) {
  absl::MutexLock lock(&mutex);
  return mutex.AwaitWithTimeout(absl::Condition(&stopped), at_most);
}

void SetStop(bool stop) {
  absl::MutexLock lock(&mutex);
  stopped = stop;
}

}  // namespace skerry::process
