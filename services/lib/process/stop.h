// That the process has been told to end, for what takes long before it serves.
#ifndef SKERRY_SERVICES_LIB_PROCESS_STOP_H_
#define SKERRY_SERVICES_LIB_PROCESS_STOP_H_

#include "absl/time/time.h"

namespace skerry::process {

// Waits `at_most` for a signal that ends this process (run.h); whether there was one. For steps of
// App::Start that wait for something: they then return CANCELLED, and the process ends as it was
// told to. Any thread.
bool AwaitStop(absl::Duration at_most);

// Run's alone.
void SetStop(bool stop);

}  // namespace skerry::process

#endif  // SKERRY_SERVICES_LIB_PROCESS_STOP_H_
