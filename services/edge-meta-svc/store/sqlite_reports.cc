// The part of SqliteMetaStore that keeps reports.
#include "absl/strings/str_cat.h"
#include "services/edge-meta-svc/store/sqlite_meta_store.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edgemeta {

absl::StatusOr<PutOutcome> SqliteMetaStore::PutReport(Report report, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  bool replaces = false;
  int64_t stored_bytes = 0;
  {
    sqlite::Statement row =
        database_->Prepare("SELECT length(value) FROM reports WHERE type = ?1 AND key = ?2");
    row.Bind(1, absl::string_view(report.type)).Bind(2, absl::string_view(report.key));
    SKERRY_ASSIGN_OR_RETURN(replaces, row.Step());
    if (replaces) stored_bytes = row.Int(0);
  }
  int64_t bytes = report_bytes_ - stored_bytes + static_cast<int64_t>(report.value.size());
  if (bytes > options_.report_bytes_max && bytes > report_bytes_) {
    return Error(absl::StatusCode::kResourceExhausted, "too many reports wait for the cloud")
        .Reason("REPORTS_FULL")
        .Meta("bytes_max", absl::StrCat(options_.report_bytes_max));
  }
  report.time = Next(report_time_, now);
  SKERRY_RETURN_IF_ERROR(database_->Transaction(
      [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return WriteReport(report); }));
  report_bytes_ = bytes;
  report_time_ = report.time;
  return replaces ? PutOutcome::kReplaced : PutOutcome::kStored;
}

// The store remembers the time itself: the report goes as soon as the hub has it.
absl::Status SqliteMetaStore::WriteReport(const Report& report) {
  const int64_t logical = report.time.logical;
  // REPLACE gives the row a new number: whoever is sending the old one drops nothing that is newer.
  SKERRY_RETURN_IF_ERROR(
      database_
          ->Prepare(
              "INSERT OR REPLACE INTO reports(type, key, generation, wall_micros, logical, value, "
              "checksum) VALUES(?1, ?2, ?3, ?4, ?5, ?6, row_checksum(?1, ?2, ?3, ?4, ?5, ?6))")
          .Bind(1, absl::string_view(report.type))
          .Bind(2, absl::string_view(report.key))
          .Bind(3, report.generation)
          .Bind(4, report.time.wall_micros)
          .Bind(5, logical)
          .BindBlob(6, report.value)
          .Run());
  SKERRY_RETURN_IF_ERROR(
      database_->Prepare("UPDATE store SET report_micros = ?1, report_logical = ?2")
          .Bind(1, report.time.wall_micros)
          .Bind(2, logical)
          .Run());
  return SumStoreRow();
}

absl::StatusOr<std::vector<Report>> SqliteMetaStore::Reports(int64_t number, size_t limit,
                                                             size_t bytes_max) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare(
      "SELECT number, type, key, generation, wall_micros, logical, value FROM reports WHERE number "
      "> ?1 "
      "ORDER BY number");
  row.Bind(1, number);
  std::vector<Report> reports;
  size_t bytes = 0;
  while (reports.size() < limit) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) break;
    Report report{.number = row.Int(0),
                  .type = row.Text(1),
                  .key = row.Text(2),
                  .generation = row.Int(3),
                  .time = {row.Int(4), static_cast<uint32_t>(row.Int(5))},
                  .value = row.Text(6)};
    bytes += report.value.size();
    if (!reports.empty() && bytes > bytes_max) break;
    reports.push_back(std::move(report));
  }
  return reports;
}

absl::Status SqliteMetaStore::DropReports(const std::vector<int64_t>& numbers) {
  if (numbers.empty()) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  SKERRY_RETURN_IF_ERROR(
      database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
        for (int64_t number : numbers) {
          SKERRY_RETURN_IF_ERROR(
              database_->Prepare("DELETE FROM reports WHERE number = ?1").Bind(1, number).Run());
        }
        return absl::OkStatus();
      }));
  sqlite::Statement row = database_->Prepare("SELECT coalesce(sum(length(value)), 0) FROM reports");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (found) report_bytes_ = row.Int(0);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteMetaStore::CountReports() {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare("SELECT count(*) FROM reports");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  return found ? row.Int(0) : 0;
}

}  // namespace skerry::edgemeta
