// Reads what was reported of the devices, beside whoever stores it.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_READING_LOG_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_READING_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/model/names.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::twin {

// Of one row.
struct ReadingRow {
  uint64_t sequence = 0;
  std::string device;
  absl::Time time;    // Of its arrival.
  std::string value;  // Serialized v1::Readings.
};

// Where a list is: within the readings of a row.
struct ReadingPosition {
  uint64_t sequence = 0;
  size_t index = 0;
};

struct ReadingQuery {
  DeviceName device;
  std::string uid;       // Readings of a former device of that name are left out.
  std::string property;  // Empty: all.
  absl::Time start = absl::InfinitePast();
  absl::Time end = absl::InfiniteFuture();
  ReadingPosition from;  // The first that is looked at.
  size_t count_max = 50;
};

struct ReadingPage {
  std::vector<v1::Reading> readings;
  std::optional<ReadingPosition> next;  // None: there are no further ones.
};

// A connection of its own to twins.db, so that a long read holds up no write. Any thread may call
// it; it may wait for the disk, and for another caller. Damage that it meets is told as the store
// tells it.
class ReadingLog {
 public:
  // Of a file that a SqliteTwinStore of this process has open.
  static absl::StatusOr<std::unique_ptr<ReadingLog>> Open(
      const std::string& path, const sqlite::Environment& environment = {});

  // Rows above `after`, in order: at most `count_max`, and no further one that makes them more than
  // `bytes_max`.
  absl::StatusOr<std::vector<ReadingRow>> Read(uint64_t after, size_t count_max, size_t bytes_max);

  // By arrival. It looks at a bounded number of rows: a page may be empty and not the last.
  absl::StatusOr<ReadingPage> List(const ReadingQuery& query);

 private:
  explicit ReadingLog(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_READING_LOG_H_
