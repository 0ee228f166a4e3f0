// The tunnels of one owner, to end them together.
#ifndef SKERRY_SERVICES_LIB_LINK_TUNNEL_SET_H_
#define SKERRY_SERVICES_LIB_LINK_TUNNEL_SET_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::link {

// Any thread may call it. Every Begin that was true is followed by one Ended.
class TunnelSet {
 public:
  // False once it has been stopped: do not open another.
  bool Begin() {
    absl::MutexLock lock(&mutex_);
    if (!stopped_) ++open_;
    return !stopped_;
  }
  // To be ended by Stop; at once where that has been.
  void Add(const std::shared_ptr<pipe::ByteStream>& tunnel) {
    {
      absl::MutexLock lock(&mutex_);
      if (!stopped_) {
        std::erase_if(tunnels_, [](const auto& weak) { return weak.expired(); });
        tunnels_.push_back(tunnel);
        return;
      }
    }
    tunnel->Close(absl::CancelledError("the service is stopping"));
  }
  void Ended() {
    absl::MutexLock lock(&mutex_);  // Last: Stop may return now.
    --open_;
  }
  size_t open() const {
    absl::MutexLock lock(&mutex_);
    return open_;
  }
  // Ends all and waits until they have ended. Idempotent.
  void Stop() {
    std::vector<std::weak_ptr<pipe::ByteStream>> tunnels;
    {
      absl::MutexLock lock(&mutex_);
      stopped_ = true;
      tunnels = std::exchange(tunnels_, {});
    }
    for (const auto& weak : tunnels) {
      if (auto tunnel = weak.lock(); tunnel != nullptr)
        tunnel->Close(absl::CancelledError("the service is stopping"));
    }
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](size_t* open) { return *open == 0; }, &open_));
  }

 private:
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::weak_ptr<pipe::ByteStream>> tunnels_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_TUNNEL_SET_H_
