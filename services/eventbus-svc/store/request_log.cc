#include "services/eventbus-svc/store/request_log.h"

#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE request ("
    "  sequence INTEGER PRIMARY KEY,"
    "  topic TEXT NOT NULL,"
    "  payload BLOB NOT NULL,"
    "  write_id TEXT NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;",
    kDeliveryTable,
};

}  // namespace

absl::StatusOr<std::unique_ptr<RequestLog>> RequestLog::Open(
    const std::string& path, const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path, .full_sync = false, .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "eventbus request log");
  std::unique_ptr<RequestLog> log(new RequestLog(*std::move(database)));
  if (absl::Status loaded = log->Load(); !loaded.ok())
    return Annotate(loaded, "eventbus request log");
  return log;
}

absl::Status RequestLog::Load() {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read =
      database_->Prepare("SELECT COALESCE(MAX(sequence), 0), COUNT(*) FROM request");
  SKERRY_RETURN_IF_ERROR(read.Step().status());
  last_ = read.Int(0);
  waiting_ = static_cast<size_t>(read.Int(1));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> RequestLog::Add(const std::string& topic, const std::string& payload,
                                        const std::string& write_id, const Delivery& delivery) {
  absl::MutexLock lock(&mutex_);
  bool first = true;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    SKERRY_RETURN_IF_ERROR(DeleteDone());
    SKERRY_ASSIGN_OR_RETURN(first, IsFirstDelivery(*database_, delivery, topic, payload));
    if (!first) return absl::OkStatus();
    return database_
        ->Prepare("INSERT INTO request VALUES (?1, ?2, ?3, ?4, row_checksum(?2, ?3, ?4))")
        .Bind(1, last_ + 1)
        .Bind(2, topic)
        .BindBlob(3, payload)
        .Bind(4, write_id)
        .Run();
  }));
  done_.clear();
  if (!first) return 0;
  ++waiting_;
  return ++last_;
}

void RequestLog::Done(int64_t sequence) {
  absl::MutexLock lock(&mutex_);
  done_.push_back(sequence);
  if (--waiting_ > 0) return;
  // Where that fails, the next Add does it, or they are redeliveries after a restart.
  const absl::Status deleted = database_->Transaction([&] {
    mutex_.AssertHeld();
    return DeleteDone();
  });
  if (deleted.ok()) done_.clear();
}

absl::Status RequestLog::DeleteDone() {
  for (const int64_t sequence : done_) {
    SKERRY_RETURN_IF_ERROR(
        database_->Prepare("DELETE FROM request WHERE sequence = ?1").Bind(1, sequence).Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RequestLog::Entry>> RequestLog::Read() {
  absl::MutexLock lock(&mutex_);
  std::vector<Entry> entries;
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, topic, payload, write_id FROM request ORDER BY sequence");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return entries;
    entries.push_back({.sequence = read.Int(0),
                       .topic = read.Text(1),
                       .payload = read.Text(2),
                       .write_id = read.Text(3)});
  }
}

}  // namespace skerry::eventbus
