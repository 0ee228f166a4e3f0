// Serves WatchTwins.
#ifndef SKERRY_SERVICES_TWIN_SVC_TWIN_WATCHES_H_
#define SKERRY_SERVICES_TWIN_SVC_TWIN_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/stream.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

// Each watcher has the names of the twins that it has not been sent yet, and is sent their newest
// state as fast as it reads: it costs at most one name for each twin, however slow it is. Any
// thread may call it. Outlives the gRPC server.
class TwinWatches {
 public:
  using ResponseStream = rpc::Stream<v1::WatchTwinsResponse>;

  explicit TwinWatches(TwinMetrics& metrics) : metrics_(metrics) {}

  // Before the first Open; the desk outlives it.
  void SetDesk(const TwinDesk& desk);

  // Begins a watch, or closes `stream` with the error of the request.
  rpc::WriterEvents Open(const v1::WatchTwinsRequest& request,
                         std::shared_ptr<ResponseStream> stream);
  // What a commit changed.
  void Publish(const std::vector<TwinEvent>& events);
  // Ends every watch, and those that still come, with `status`.
  void CloseAll(absl::Status status);

 private:
  struct Watcher {
    std::string device_namespace;  // Empty: all.
    std::shared_ptr<ResponseStream> stream;
    std::set<DeviceName> due;
    bool synced = false;  // That was sent.
  };

  // Sends what is due while the stream takes it.
  void Pump(Watcher& watcher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PumpOne(uint64_t id);

  TwinMetrics& metrics_;
  absl::Mutex mutex_;
  const TwinDesk* desk_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::map<uint64_t, Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_TWIN_WATCHES_H_
