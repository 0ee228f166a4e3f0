// The connections that are open: how many, and their end when the server ends.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_OPEN_STREAMS_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_OPEN_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/lib/base/clock.h"

namespace skerry::edged {

// Any thread may call it. Held by shared_ptr: places may outlive their server's last look.
class OpenStreams : public std::enable_shared_from_this<OpenStreams> {
 public:
  explicit OpenStreams(size_t max) : max_(max) {}

  // One of `max` places, held until it is destroyed.
  class Place {
   public:
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // The connection that has the place. After Stop it is cut at once.
    void Put(const std::shared_ptr<StreamConnection>& connection);

   private:
    friend class OpenStreams;
    Place(std::shared_ptr<OpenStreams> all, uint64_t number)
        : all_(std::move(all)), number_(number) {}
    const std::shared_ptr<OpenStreams> all_;
    const uint64_t number_;
  };
  // Null at the bound, and after Stop has begun.
  std::shared_ptr<Place> Enter();

  // All leave, for which they have `grace`; then they are cut, and it waits until no place is held.
  // Not on a thread that a connection needs.
  void Stop(Clock& clock, absl::Duration grace);

 private:
  std::vector<std::shared_ptr<StreamConnection>> Connections();

  const size_t max_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  // Null until Put.
  std::map<uint64_t, std::weak_ptr<StreamConnection>> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_OPEN_STREAMS_H_
