// The one thread that uses the store: commits what waits as one transaction, and reads pages.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_JOURNAL_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/eventbus-svc/store/sqlite_bus_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::eventbus {

// Any thread may call it; what it is given runs on its own thread, which never waits for anything
// but the disk. Store, clock and metrics outlive it.
class Journal final {
 public:
  struct Options {
    size_t waiting_bytes_max = 16 << 20;  // Beyond, a change is refused: BUS_BUSY.
  };
  using Done = absl::AnyInvocable<void(const absl::Status&)>;
  using Publications = absl::AnyInvocable<void(absl::StatusOr<std::vector<WaitingPublication>>)>;
  using Uploads = absl::AnyInvocable<void(absl::StatusOr<std::vector<WaitingUpload>>)>;

  Journal(SqliteBusStore& store, const Options& options, Clock& clock, BusMetrics& metrics,
          log::Logger log);
  ~Journal();  // Stop().

  // Called after each commit that left something to publish, or to hand over. Before the first
  // Submit.
  void SetListeners(std::function<void()> on_publications, std::function<void()> on_uploads);

  // Changes that wait are one commit, in order. `done` (which may be null) is told how it ended,
  // here and now where it is refused. An error: it has not happened; what it would have published
  // is counted as dropped.
  void Submit(BusChange change, Done done = nullptr);

  void ReadPublications(uint64_t after, size_t count_max, size_t bytes_max, Publications done);
  void ReadUploads(uint64_t after, size_t count_max, size_t bytes_max, Uploads done);

  // Commits what waits, then ends. What is submitted later is refused. Idempotent.
  void Stop();

 private:
  struct Entry {
    BusChange change;
    Done done;
    size_t bytes = 0;
  };

  void Flush();
  void Commit(std::vector<Entry>& entries);
  void DropExpired();
  void Show();

  SqliteBusStore& store_;
  const Options options_;
  Clock& clock_;
  BusMetrics& metrics_;
  const log::Logger log_;
  std::function<void()> on_publications_;
  std::function<void()> on_uploads_;
  bool complained_ = false;  // On the thread.

  absl::Mutex mutex_;
  std::vector<Entry> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  exec::SerialExecutor thread_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_JOURNAL_H_
