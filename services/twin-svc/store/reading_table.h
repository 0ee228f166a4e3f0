// The readings within twins.db.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_READING_TABLE_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_READING_TABLE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/open_time.h"
#include "services/twin-svc/store/twin_store.h"

namespace skerry::twin {

struct ReadingBounds {
  int64_t bytes_max = 128 << 20;
  absl::Duration age_max = absl::Hours(24 * 7);  // Of the time for which the service runs.
};

// At the bounds the oldest go. Part of a store and of its transactions: what was begun counts once
// it is Committed. One thread; references outlive it.
class ReadingTable {
 public:
  ReadingTable(sqlite::Database& database, const ReadingBounds& bounds, Clock& clock)
      : database_(database), bounds_(bounds), clock_(clock), open_time_(clock) {}

  absl::Status Load();
  const ReadingState& state() const { return state_; }

  // ---- In a transaction.
  void Begin() { draft_ = state_; }
  absl::Status Append(const std::string& device, absl::string_view value);
  void Sent(uint64_t sequence);
  // The oldest of at least so many bytes go, or all.
  absl::Status MakeRoom(int64_t bytes);
  // False: no further one is too old.
  absl::StatusOr<bool> DropExpired();
  // Keeps the bound of bytes, and stores what has changed besides.
  absl::Status End();
  // ---- After it.
  void Committed() { state_ = draft_; }

 private:
  // Drops the oldest of at least so many bytes, of the bytes that it found.
  absl::Status Drop(int64_t bytes, uint64_t ReadingState::*counter);
  // Up to `last`, which are `bytes` long.
  absl::Status Forget(uint64_t first, uint64_t last, int64_t bytes,
                      uint64_t ReadingState::*counter);

  sqlite::Database& database_;
  const ReadingBounds bounds_;
  Clock& clock_;
  sqlite::OpenTime open_time_;
  ReadingState state_;
  ReadingState draft_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_READING_TABLE_H_
