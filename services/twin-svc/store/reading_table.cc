#include "services/twin-svc/store/reading_table.h"

#include <algorithm>

#include "services/lib/base/status_macros.h"

namespace skerry::twin {
namespace {

constexpr int64_t kRowBytes = 64;  // That a row costs beside its texts; as in the schema.
constexpr int64_t kRowsAtOnce = 500;
constexpr int64_t kExpiredAtOnce = 5000;  // In one transaction.

}  // namespace

absl::Status ReadingTable::Load() {
  sqlite::Statement row = database_.Prepare(
      "SELECT producer, max(sent, 0), bytes,"
      "  max(open_micros, (SELECT coalesce(max(open_micros), 0) FROM reading"
      "                    WHERE sequence = (SELECT max(sequence) FROM reading))),"
      "  (SELECT coalesce(max(sequence), 0) FROM reading) FROM reading_store");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found) return database_.Damaged("the readings' own row is missing");
  state_.producer = row.Text(0);
  state_.sent = static_cast<uint64_t>(row.Int(1));
  state_.bytes = row.Int(2);
  open_time_.Resume(row.Int(3));
  state_.last = std::max(state_.sent, static_cast<uint64_t>(row.Int(4)));
  return absl::OkStatus();
}

absl::Status ReadingTable::Append(const std::string& device, absl::string_view value) {
  draft_.bytes += static_cast<int64_t>(value.size() + device.size()) + kRowBytes;
  return database_
      .Prepare("INSERT INTO reading VALUES (?1, ?2, ?3, ?4, ?5, row_checksum(?2, ?3, ?4, ?5))")
      .Bind(1, static_cast<int64_t>(++draft_.last))
      .Bind(2, device)
      .Bind(3, absl::ToUnixMicros(clock_.Now()))
      .BindBlob(4, value)
      .Bind(5, open_time_.Micros())
      .Run();
}

void ReadingTable::Sent(uint64_t sequence) {
  draft_.sent = std::clamp(sequence, draft_.sent, draft_.last);
}

absl::Status ReadingTable::MakeRoom(int64_t bytes) {
  return Drop(bytes, &ReadingState::dropped_disk_full);
}

absl::Status ReadingTable::Drop(int64_t bytes, uint64_t ReadingState::*counter) {
  int64_t dropped = 0;
  while (dropped < bytes) {
    uint64_t first = 0, last = 0;
    int64_t found = 0;
    sqlite::Statement rows = database_.Prepare(
        "SELECT sequence, length(value) + length(device) + 64 FROM reading ORDER BY sequence"
        " LIMIT ?1");
    rows.Bind(1, kRowsAtOnce);
    while (dropped + found < bytes) {
      SKERRY_ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) break;
      last = static_cast<uint64_t>(rows.Int(0));
      if (first == 0) first = last;
      found += rows.Int(1);
    }
    if (last == 0) {
      draft_.bytes = 0;
      return absl::OkStatus();
    }
    SKERRY_RETURN_IF_ERROR(Forget(first, last, found, counter));
    dropped += found;
  }
  return absl::OkStatus();
}

absl::Status ReadingTable::Forget(uint64_t first, uint64_t last, int64_t bytes,
                                  uint64_t ReadingState::*counter) {
  SKERRY_RETURN_IF_ERROR(database_.Prepare("DELETE FROM reading WHERE sequence <= ?1")
                             .Bind(1, static_cast<int64_t>(last))
                             .Run());
  draft_.bytes = std::max<int64_t>(draft_.bytes - bytes, 0);
  if (last > draft_.sent) {
    draft_.*counter += last - std::max(draft_.sent, first - 1);
    draft_.sent = last;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadingTable::DropExpired() {
  const int64_t before = open_time_.Micros() - absl::ToInt64Microseconds(bounds_.age_max);
  uint64_t first = 0, last = 0;
  int64_t found = 0, count = 0;
  {
    sqlite::Statement rows = database_.Prepare(
        "SELECT sequence, length(value) + length(device) + 64, open_micros FROM reading"
        " ORDER BY sequence LIMIT ?1");
    rows.Bind(1, kExpiredAtOnce);
    while (true) {
      SKERRY_ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more || rows.Int(2) >= before) break;
      last = static_cast<uint64_t>(rows.Int(0));
      if (first == 0) first = last;
      found += rows.Int(1);
      ++count;
    }
  }
  if (last != 0) {
    SKERRY_RETURN_IF_ERROR(Forget(first, last, found, &ReadingState::dropped_expired));
  }
  return count == kExpiredAtOnce;
}

absl::Status ReadingTable::End() {
  if (draft_.bytes > bounds_.bytes_max) {
    SKERRY_RETURN_IF_ERROR(Drop(draft_.bytes - bounds_.bytes_max, &ReadingState::dropped_full));
  }
  return database_
      .Prepare(
          "UPDATE reading_store SET sent = ?1, bytes = ?2, open_micros = ?3,"
          " checksum = row_checksum(producer, ?1, ?2, ?3)")
      .Bind(1, static_cast<int64_t>(draft_.sent))
      .Bind(2, draft_.bytes)
      .Bind(3, open_time_.Micros())
      .Run();
}

}  // namespace skerry::twin
