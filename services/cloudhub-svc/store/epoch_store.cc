#include "services/cloudhub-svc/store/epoch_store.h"

#include <algorithm>

#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

constexpr uint64_t kBlock = 1000;

constexpr const char* kMigrations[] = {
    "CREATE TABLE epoch (id INTEGER PRIMARY KEY CHECK (id = 1), reserved_end INTEGER NOT NULL) "
    "STRICT;"
    "INSERT INTO epoch (id, reserved_end) VALUES (1, 1);",
};

}  // namespace

absl::StatusOr<std::unique_ptr<EpochStore>> EpochStore::Open(
    const std::string& path, Clock& clock, const sqlite::Environment& environment) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open({.path = path, .environment = environment}, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "epoch store");
  return std::unique_ptr<EpochStore>(new EpochStore(*std::move(database), clock));
}

absl::StatusOr<uint64_t> EpochStore::Next() {
  absl::MutexLock lock(&mutex_);
  if (next_ >= reserved_end_) SKERRY_RETURN_IF_ERROR(Reserve());
  return next_++;
}

absl::Status EpochStore::Reserve() {
  uint64_t first = 0;
  absl::Status status = database_->Transaction([&]() -> absl::Status {
    {
      sqlite::Statement read = database_->Prepare("SELECT reserved_end FROM epoch WHERE id = 1");
      SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
      first = found ? static_cast<uint64_t>(read.Int(0)) : 1;
    }
    first = std::max(first,
                     static_cast<uint64_t>(std::max<int64_t>(1, absl::ToUnixMicros(clock_.Now()))));
    sqlite::Statement write = database_->Prepare(
        "INSERT INTO epoch (id, reserved_end) VALUES (1, ?1) "
        "ON CONFLICT (id) DO UPDATE SET reserved_end = excluded.reserved_end");
    write.Bind(1, static_cast<int64_t>(first + kBlock));
    return write.Run();
  });
  if (!status.ok()) return Annotate(status, "reserve fencing epochs");
  next_ = first;
  reserved_end_ = first + kBlock;
  return absl::OkStatus();
}

}  // namespace skerry::cloudhub
