#include "services/eventbus-svc/store/request_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

constexpr int64_t kEntryBytes = 512;  // What one costs besides topic and payload, roughly.

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
    const std::string& path, int64_t bytes_max, const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path, .full_sync = false, .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "eventbus request log");
  std::unique_ptr<RequestLog> log(new RequestLog(*std::move(database), bytes_max));
  if (absl::Status loaded = log->Load(); !loaded.ok())
    return Annotate(loaded, "eventbus request log");
  return log;
}

absl::Status RequestLog::Load() {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read =
      database_->Prepare("SELECT sequence, length(topic) + length(payload) FROM request");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return absl::OkStatus();
    last_ = std::max(last_, read.Int(0));
    waiting_bytes_ += waiting_[read.Int(0)] = read.Int(1) + kEntryBytes;
  }
}

absl::StatusOr<int64_t> RequestLog::Add(const std::string& topic, const std::string& payload,
                                        const std::string& write_id, const Delivery& delivery) {
  absl::MutexLock lock(&mutex_);
  const int64_t bytes = static_cast<int64_t>(topic.size() + payload.size()) + kEntryBytes;
  if (waiting_bytes_ + bytes > bytes_max_) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat(waiting_bytes_, " bytes of requests wait, ", bytes_max_,
                              " is the most"))
        .Reason("REQUESTS_FULL");
  }
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
  waiting_bytes_ += waiting_[++last_] = bytes;
  return last_;
}

void RequestLog::Done(int64_t sequence) {
  absl::MutexLock lock(&mutex_);
  const auto it = waiting_.find(sequence);
  if (it == waiting_.end()) return;
  waiting_bytes_ -= it->second;
  waiting_.erase(it);
  done_.push_back(sequence);
  if (waiting_.empty() || done_.size() % kDoneMax == 0) WriteDone();
}

void RequestLog::Flush() {
  absl::MutexLock lock(&mutex_);
  if (!done_.empty()) WriteDone();
}

void RequestLog::WriteDone() {
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

absl::StatusOr<std::vector<RequestLog::Entry>> RequestLog::Read(int64_t after, size_t bytes_max) {
  absl::MutexLock lock(&mutex_);
  std::vector<Entry> entries;
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, topic, payload, write_id FROM request WHERE sequence > ?1"
      " ORDER BY sequence");
  read.Bind(1, after);
  for (size_t bytes = 0; bytes < bytes_max;) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) break;
    if (waiting_.count(read.Int(0)) == 0) continue;  // It is done, and not deleted yet.
    entries.push_back({.sequence = read.Int(0),
                       .topic = read.Text(1),
                       .payload = read.Text(2),
                       .write_id = read.Text(3)});
    bytes += entries.back().topic.size() + entries.back().payload.size() + kEntryBytes;
  }
  return entries;
}

size_t RequestLog::waiting() {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

}  // namespace skerry::eventbus
