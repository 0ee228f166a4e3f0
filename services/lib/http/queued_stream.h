// The body of a streamed answer: chunks from any thread, taken by the session as the client reads
// them.
#ifndef SKERRY_SERVICES_LIB_HTTP_QUEUED_STREAM_H_
#define SKERRY_SERVICES_LIB_HTTP_QUEUED_STREAM_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/http/server.h"

namespace skerry::http {

// Any thread may call it. Callbacks are never called with its lock held.
class QueuedStream final : public ResponseStream {
 public:
  // wake: there is something to take (or the stream was cut). Called once for each Take.
  QueuedStream(size_t pending_bytes_max, bool chunked, std::function<void()> wake);

  bool Write(std::string chunk) override;
  bool HasRoom() const override;
  void WhenRoom(std::function<void()> callback) override;
  void End() override;
  size_t pending_bytes() const override;
  void OnClosed(std::function<void()> callback) override;

  struct Batch {
    std::string wire;          // Framed; empty: nothing waits.
    size_t payload_bytes = 0;  // To give back with Written.
    bool last = false;         // The end of the answer is in `wire` (or needs no bytes).
    bool cut = false;          // Too much was pending: break the connection off.
  };
  // The next bytes for the wire: whole chunks, at least one, then up to about `bytes_max`.
  Batch Take(size_t bytes_max);
  // `payload_bytes` of a batch have left; only then they cease to be pending.
  void Written(size_t payload_bytes);
  // The connection is gone or the answer complete.
  void Close();

 private:
  bool Roomy() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return pending_bytes_ < pending_bytes_max_ / 2;
  }

  const size_t pending_bytes_max_;
  const bool chunked_;
  const std::function<void()> wake_;
  mutable absl::Mutex mutex_;
  std::deque<std::string> queue_ ABSL_GUARDED_BY(mutex_);
  size_t pending_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_taken_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> on_room_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> on_closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_QUEUED_STREAM_H_
