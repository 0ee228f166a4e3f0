// Calls in flight that are to end with who made them.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_OPEN_CALLS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_OPEN_CALLS_H_

#include <grpcpp/client_context.h>

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace skerry::edged {

// Any thread may call it. Each call holds a reference to it until it has ended.
class OpenCalls {
 public:
  // False after EndAll has begun: the call must not be made.
  bool Open(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex_);
    if (ending_) return false;
    open_.insert(context);
    return true;
  }
  void Close(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex_);
    open_.erase(context);
  }
  // Cancels what is open and waits until it is closed. Not from the thread of a call.
  void EndAll() {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    for (grpc::ClientContext* context : open_) context->TryCancel();
    mutex_.Await(absl::Condition(
        +[](std::set<grpc::ClientContext*>* open) { return open->empty(); }, &open_));
  }

 private:
  absl::Mutex mutex_;
  std::set<grpc::ClientContext*> open_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_OPEN_CALLS_H_
