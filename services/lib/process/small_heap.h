// The heap of a process that shares a small machine with others.
#ifndef SKERRY_SERVICES_LIB_PROCESS_SMALL_HEAP_H_
#define SKERRY_SERVICES_LIB_PROCESS_SMALL_HEAP_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace skerry::process {

// Lets glibc keep one arena for all threads instead of up to eight a core, and gives what is free
// back to the system at every interval, which glibc by itself does at the end of the heap alone.
// One a process, made in main() before other threads are.
class SmallHeap {
 public:
  explicit SmallHeap(absl::Duration interval = absl::Seconds(30));
  ~SmallHeap();
  SmallHeap(const SmallHeap&) = delete;
  SmallHeap& operator=(const SmallHeap&) = delete;

 private:
  absl::Mutex mutex_;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Begins the program anew, as the same process with the same arguments, so that glibc keeps no free
// memory for each thread: what small pieces there are hold a page each. It reads that at a start
// alone, from GLIBC_TUNABLES, where other settings stay. Returns where it is set already, to
// whatever, was tried already, or can't be set. The first thing in main().
void DropThreadCaches(char** argv);

}  // namespace skerry::process

#endif  // SKERRY_SERVICES_LIB_PROCESS_SMALL_HEAP_H_
