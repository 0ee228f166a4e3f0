// Serves WatchObjects: one session a watcher, pulled as fast as the watcher reads.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_WATCH_SERVER_H_
#define SKERRY_SERVICES_EDGE_META_SVC_WATCH_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/skerry/meta/v1/meta_service.pb.h"
#include "services/edge-meta-svc/metrics.h"
#include "services/edge-meta-svc/store/meta_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/rpc/stream.h"
#include "services/lib/watch/watcher_hub.h"

namespace skerry::edgemeta {

// Sessions live on `executor`, the thread that also commits. Outlives the gRPC server, so that no
// stream calls back into something that is gone; store and executor outlive it.
class WatchServer {
 public:
  using ResponseStream = rpc::Stream<meta::v1::WatchObjectsResponse>;

  struct Options {
    size_t queue_bytes_max = 8u << 20;
    absl::Duration bookmark_interval = absl::Seconds(30);
  };

  WatchServer(const Options& options, MetaStore& store, exec::SerialExecutor& executor,
              Clock& clock, MetaMetrics& metrics);
  ~WatchServer();

  // Any thread: begins a watch, or closes `stream` with the error of the request.
  rpc::WriterEvents Open(const meta::v1::WatchObjectsRequest& request,
                         std::shared_ptr<ResponseStream> stream);

  // On the executor: what was committed.
  void Publish(std::vector<watch::Change> changes);

  // Any thread: ends every watch, and those that still come, with `status`.
  void CloseAll(absl::Status status);

 private:
  struct Watcher;

  void Begin(uint64_t id, std::shared_ptr<Watcher> watcher);
  void Pump(uint64_t id);
  void End(uint64_t id);
  void SendBookmarks();

  const Options options_;
  MetaStore& store_;
  exec::SerialExecutor& executor_;
  Clock& clock_;
  MetaMetrics& metrics_;
  absl::Mutex id_mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(id_mutex_) = 1;
  // Below: on the executor only.
  watch::WatcherHub hub_;
  std::map<uint64_t, std::shared_ptr<Watcher>> watchers_;
  absl::Status closed_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_WATCH_SERVER_H_
