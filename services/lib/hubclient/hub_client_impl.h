// What HubClient does on its executor.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_HUB_CLIENT_IMPL_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_HUB_CLIENT_IMPL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/hubclient/core/report_queue.h"
#include "services/lib/hubclient/hub_client.h"

namespace skerry::hubclient {

using StreamName = std::pair<std::string, std::string>;  // Stream and producer.

absl::Status Stopping();
absl::Status Busy(size_t bytes_max);

// What is not guarded or atomic is used on the executor only.
struct HubClient::Impl : std::enable_shared_from_this<HubClient::Impl> {
  class Answer;
  struct Batch {
    EventBatch events;
    EventsDone done;
    size_t bytes = 0;
    size_t stored = 0;        // From the first.
    uint64_t request_id = 0;  // 0: not under way.
  };

  Impl(Options o, HubDialer d, exec::SerialExecutor& e, HubEvents t, HubClientMetrics& m,
       log::Logger l)
      : options(std::move(o)),
        dialer(std::move(d)),
        executor(e),
        events(std::move(t)),
        metrics(m),
        log(std::move(l)),
        reports(options.reports_in_flight_max) {}

  const Options options;
  const HubDialer dialer;
  exec::SerialExecutor& executor;
  const HubEvents events;
  HubClientMetrics& metrics;
  const log::Logger log;

  std::atomic<size_t> waiting_bytes = 0;
  std::atomic<bool> attached = false;
  std::atomic<bool> forward_posted = false;
  absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  bool stream_open ABSL_GUARDED_BY(mutex) = false;  // on_closed is still to come.

  bool stopped = false;
  std::shared_ptr<HubStream> stream;
  uint64_t attempt = 0;
  int failures = 0;  // Attempts since the last Registered.
  ReportQueue reports;
  std::map<StreamName, Batch> batches;
  uint64_t last_put = 0;
  bool reports_paused = false;
  bool events_paused = false;
  size_t commands = 0;  // Under way.
  absl::BitGen random;

  // Runs `work` on the executor unless the client has been stopped by then. Any thread, also when
  // the executor is gone: that is after Stop.
  template <typename Work>
  void Post(Work work) {
    absl::MutexLock lock(&mutex);
    PostLocked(std::move(work));
  }
  template <typename Work>
  void PostLocked(Work work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (stopping) return;
    executor.Post([self = shared_from_this(), work = std::move(work)]() mutable {
      if (!self->stopped) work(*self);
    });
  }
  // On the executor.
  template <typename Work>
  void PostAfter(absl::Duration delay, Work work) {
    executor.PostAfter(delay, [self = shared_from_this(), work = std::move(work)]() mutable {
      if (!self->stopped) work(*self);
    });
  }
  // Room for `bytes` more; else false, and counted.
  bool Reserve(size_t bytes);
  void Release(size_t bytes);
  bool is_stopping() {
    absl::MutexLock lock(&mutex);
    return stopping;
  }

  void Dial();
  void OnClosed(uint64_t closed, absl::Status status);
  void OnFrame(uint64_t of, edgehub::v1::HubFrame frame);
  void OnRegistered();
  void OnReportStored(const edgehub::v1::ReportStored& answer);
  void OnEventsStored(const edgehub::v1::EventsStored& answer);
  void OnCommand(edgehub::v1::CommandRequest& request);
  void CommandEnded(uint64_t of, const std::string& key, const absl::Status& status,
                    std::string response);
  void Put(Report report);
  void Put(StreamName name, Batch batch);
  void End(Report report, const absl::Status& status);
  // What waits, as far as the transport takes it.
  void Forward();
  void PostForward();
  void PauseReports(const absl::Status& why);
  void PauseEvents(const absl::Status& why);
  void Close();
};

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_HUB_CLIENT_IMPL_H_
