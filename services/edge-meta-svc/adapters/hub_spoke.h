// edge-meta-svc as a spoke of edgehub-svc: objects come in, reports go out.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_HUB_SPOKE_H_
#define SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_HUB_SPOKE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "services/edge-meta-svc/adapters/sync_lag_gauges.h"
#include "services/edge-meta-svc/core/report_window.h"
#include "services/edge-meta-svc/core/sync_machine.h"
#include "services/edge-meta-svc/metrics.h"
#include "services/edge-meta-svc/store/meta_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/rpc/stream.h"

namespace skerry::edgemeta {

// Opens a stream to the hub.
using HubStream = rpc::Stream<edgehub::v1::SpokeFrame>;
using HubDialer = std::function<std::shared_ptr<HubStream>(
    const rpc::StreamOptions& options, rpc::StreamEvents<edgehub::v1::HubFrame> events)>;

// Keeps a stream to the hub open, and dials again (full jitter) when it ends. Frames that are
// queued are committed together, then acknowledged. All state is on `executor`; a stream that ends,
// for whatever reason, loses nothing: what was not acknowledged comes again. Everything given
// outlives it.
class HubSpoke {
 public:
  struct Options {
    std::vector<std::string> resource_types;
    std::vector<std::string> report_types;
    absl::Duration reconnect_min = absl::Milliseconds(50);
    absl::Duration reconnect_max = absl::Seconds(5);
    absl::Duration report_retry = absl::Seconds(5);
  };
  // Told, on the executor, what was committed.
  using Publish = std::function<void(std::vector<watch::Change> changes)>;

  HubSpoke(Options options, HubDialer dialer, MetaStore& store, exec::SerialExecutor& executor,
           Clock& clock, Publish publish, MetaMetrics& metrics, const log::Logger& log);
  ~HubSpoke();  // Stop().

  void Start();
  // Ends the stream and waits for its end. Idempotent. Not from the executor.
  void Stop();

  // Any thread: a report was stored.
  void ReportsChanged();
  // Any thread.
  bool attached() const { return attached_.load(); }
  // Any thread: how long the objects have been behind the cloud's (core/sync_lag.h).
  absl::Duration Behind(absl::string_view type) const { return lag_.Behind(type); }

 private:
  // ---- On gRPC's threads.
  void OnFrame(uint64_t attempt, edgehub::v1::HubFrame frame);
  void OnClosed(uint64_t attempt, absl::Status status);

  // ---- On the executor.
  void Dial();
  void Drain(uint64_t attempt);
  void HandleFrame(edgehub::v1::HubFrame frame, Batch& batch, std::vector<int64_t>& answered);
  void HandleSubscribeRequest(const edgehub::v1::SubscribeRequest& request);
  void HandleReportStored(const edgehub::v1::ReportStored& stored, std::vector<int64_t>& answered);
  void Fold(link::v1::ResourceChange change, Batch& batch);
  void Commit(Batch& batch);
  void ForwardReports();
  void RetryReports();
  // Ends the stream because of `status`: what comes of it is ignored from here on.
  void Break(const absl::Status& status);
  void Ended(const absl::Status& status);

  const Options options_;
  const HubDialer dialer_;
  MetaStore& store_;
  exec::SerialExecutor& executor_;
  Clock& clock_;
  const Publish publish_;
  MetaMetrics& metrics_;
  const log::Logger log_;

  std::atomic<bool> attached_ = false;
  std::atomic<bool> forward_posted_ = false;

  absl::Mutex mutex_;
  std::deque<edgehub::v1::HubFrame> inbox_ ABSL_GUARDED_BY(mutex_);
  bool drain_posted_ ABSL_GUARDED_BY(mutex_) = false;
  bool stream_open_ ABSL_GUARDED_BY(mutex_) = false;  // on_closed is still to come.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // On the executor only.
  SyncMachine machine_;
  SyncLagGauges lag_;
  ReportWindow window_;
  std::shared_ptr<HubStream> stream_;
  uint64_t attempt_ = 0;
  bool broken_ = false;  // The stream of this attempt is being ended by us.
  int failures_ = 0;     // Attempts since the last Registered.
  int refused_ = 0;      // Streams given up since the last commit.
  bool retry_posted_ = false;
  absl::BitGen random_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_HUB_SPOKE_H_
