// Requests that were taken from the broker and are not answered yet. In a SQLite file.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_STORE_REQUEST_LOG_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_STORE_REQUEST_LOG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/eventbus-svc/store/delivery.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::eventbus {

// What was added is there when the process was killed right after. A cut of power may take the
// last ones with it: a commit that waits for the disk would cost more than the request itself. A
// damaged file is set aside, and a new one begins empty. Any thread.
class RequestLog final {
 public:
  // With the one under way well below the 32 writes by which twin-svc knows a repetition: beyond
  // them all would be written once more, in a row.
  static constexpr size_t kDoneMax = 16;

  struct Entry {
    int64_t sequence = 0;
    std::string topic;
    std::string payload;
    std::string write_id;
  };

  // `bytes_max`: of what is not answered, with 512 bytes for each.
  static absl::StatusOr<std::unique_ptr<RequestLog>> Open(
      const std::string& path, int64_t bytes_max, const sqlite::Environment& environment = {});

  // Its sequence, greater than those before it; 0: it was taken before. An error: it is not in the
  // log. RESOURCE_EXHAUSTED / REQUESTS_FULL: there is no room.
  absl::StatusOr<int64_t> Add(const std::string& topic, const std::string& payload,
                              const std::string& write_id, const Delivery& delivery);
  // It is answered. Written with the next Add or Flush, at once where nothing waits any more, and
  // as soon as kDoneMax are to be written: a crash brings at most that many back.
  void Done(int64_t sequence);
  // Writes what is done. Where that fails, it comes once more after a restart.
  void Flush();
  // Those above `after`, in order: no further one once there are `bytes_max`, counted as above.
  absl::StatusOr<std::vector<Entry>> Read(int64_t after, size_t bytes_max);
  size_t waiting();

 private:
  RequestLog(std::unique_ptr<sqlite::Database> database, int64_t bytes_max)
      : bytes_max_(bytes_max), database_(std::move(database)) {}
  absl::Status Load();
  void WriteDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status DeleteDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int64_t bytes_max_;
  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
  int64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, int64_t> waiting_ ABSL_GUARDED_BY(mutex_);  // Sizes by sequence.
  int64_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<int64_t> done_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_STORE_REQUEST_LOG_H_
