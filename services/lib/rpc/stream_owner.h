// Tells the owner of a bidirectional stream what happens. Not for use outside of this folder.
#ifndef SKERRY_SERVICES_LIB_RPC_STREAM_OWNER_H_
#define SKERRY_SERVICES_LIB_RPC_STREAM_OWNER_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/rpc/bundle.h"
#include "services/lib/rpc/stream.h"
#include "services/lib/rpc/stream_core.h"

namespace skerry::rpc::internal {

// For the reactor's reactions. Reads and writes complete on different threads; the owner is told
// one by one.
template <typename In>
class StreamOwner {
 public:
  // Before the first reaction.
  void Set(StreamEvents<In> events) { events_ = std::move(events); }

  // A read brought `incoming`, which is empty afterwards: tells of each message in it, or fails the
  // stream, and begins the next read.
  template <typename Out>
  void TellRead(In& incoming, StreamCore<Out>& core) {
    if (absl::Status valid = CheckBundle(incoming); valid.ok()) {
      ForEachMessage(std::move(incoming), [this, &core](In message) {
        if (!core.OnReadDone() || !events_.on_message) return;
        absl::MutexLock lock(&mutex_);
        events_.on_message(std::move(message));
      });
    } else {
      core.Fail(std::move(valid));
    }
    incoming.Clear();
    core.NextRead();
  }

  // A write completed; `drained`: nothing more waits.
  void TellWritten(bool drained) {
    if (!events_.on_written && !events_.on_drained) return;
    absl::MutexLock lock(&mutex_);
    if (events_.on_written) events_.on_written();
    if (drained && events_.on_drained) events_.on_drained();
  }

  // Nothing else is told afterwards.
  void TellClosed(absl::Status status) {
    if (events_.on_closed) events_.on_closed(std::move(status));
  }

 private:
  StreamEvents<In> events_;
  absl::Mutex mutex_;
};

}  // namespace skerry::rpc::internal

#endif  // SKERRY_SERVICES_LIB_RPC_STREAM_OWNER_H_
