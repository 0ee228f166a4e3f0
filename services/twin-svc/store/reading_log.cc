#include "services/twin-svc/store/reading_log.h"

#include "absl/strings/str_cat.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"
#include "services/twin-svc/store/twin_schema.h"

namespace skerry::twin {
namespace {

constexpr size_t kRowsMax = 5000;           // That a page looks at.
constexpr size_t kPageBytesMax = 2u << 20;  // Of its values; with one row beyond, below 4 MiB.

bool Matches(const ReadingQuery& query, const v1::Reading& reading) {
  if (!query.property.empty() && reading.property() != query.property) return false;
  const absl::StatusOr<absl::Time> time = rpc::FromProto(reading.time());
  return time.ok() && *time >= query.start && *time < query.end;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadingLog>> ReadingLog::Open(
    const std::string& path, const sqlite::Environment& environment) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database = sqlite::Database::Open(
      {.path = path, .check_integrity = false, .environment = environment}, kTwinMigrations);
  if (!database.ok()) return Annotate(database.status(), "readings");
  return std::unique_ptr<ReadingLog>(new ReadingLog(*std::move(database)));
}

absl::StatusOr<std::vector<ReadingRow>> ReadingLog::Read(uint64_t after, size_t count_max,
                                                         size_t bytes_max) {
  std::vector<ReadingRow> rows;
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, device, time_micros, value FROM reading WHERE sequence > ?1"
      " ORDER BY sequence LIMIT ?2");
  read.Bind(1, static_cast<int64_t>(after)).Bind(2, static_cast<int64_t>(count_max));
  size_t bytes = 0;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return rows;
    ReadingRow row{static_cast<uint64_t>(read.Int(0)), read.Text(1),
                   absl::FromUnixMicros(read.Int(2)), read.Text(3)};
    bytes += row.device.size() + row.value.size();
    if (bytes > bytes_max && !rows.empty()) return rows;
    rows.push_back(std::move(row));
  }
}

absl::StatusOr<ReadingPage> ReadingLog::List(const ReadingQuery& query) {
  ReadingPage page;
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, value FROM reading WHERE device = ?1 AND sequence >= ?2"
      " ORDER BY sequence LIMIT ?3");
  read.Bind(1, query.device.value()).Bind(2, static_cast<int64_t>(query.from.sequence));
  read.Bind(3, static_cast<int64_t>(kRowsMax + 1));
  size_t bytes = 0;
  for (size_t rows = 0;; ++rows) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return page;
    const auto sequence = static_cast<uint64_t>(read.Int(0));
    if (rows == kRowsMax || bytes > kPageBytesMax) {
      page.next = ReadingPosition{sequence, 0};
      return page;
    }
    v1::Readings message;
    if (!message.ParseFromString(read.Text(1))) {
      return database_->Damaged(absl::StrCat("reading ", sequence, " does not parse"));
    }
    if (message.uid() != query.uid) continue;
    const size_t first = sequence == query.from.sequence ? query.from.index : 0;
    for (size_t i = first; i < static_cast<size_t>(message.readings_size()); ++i) {
      v1::Reading& reading = *message.mutable_readings(static_cast<int>(i));
      if (!Matches(query, reading)) continue;
      if (page.readings.size() == query.count_max) {
        page.next = ReadingPosition{sequence, i};
        return page;
      }
      bytes += reading.ByteSizeLong();
      page.readings.push_back(std::move(reading));
    }
  }
}

}  // namespace skerry::twin
