// MessageTables in a SQLite file.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_SQLITE_MESSAGE_TABLES_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_SQLITE_MESSAGE_TABLES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"
#include "services/router-svc/store/message_tables.h"

namespace skerry::router {

// Of a damaged file the rows that can be read go into a new one; where a place in a stream was lost
// with it, its events come and are posted again, with the same keys.
class SqliteMessageTables final : public MessageTables {
 public:
  // `size_bytes_max` of the file; 0: no bound. Beyond it what adds rows fails with
  // RESOURCE_EXHAUSTED / DATABASE_FULL.
  static absl::StatusOr<std::unique_ptr<SqliteMessageTables>> Open(
      const std::string& path, int64_t size_bytes_max, const sqlite::Environment& environment = {});

  absl::Status Transact(absl::FunctionRef<absl::Status()> body) override;
  absl::StatusOr<std::vector<Size>> Sizes() override;
  int64_t SizeBytes() override { return database_->SizeBytes(); }
  absl::StatusOr<uint64_t> LastSequence(const EventSource& source) override;
  absl::Status SetLast(const EventSource& source, uint64_t sequence) override;
  absl::Status Insert(const DeadLetter& message, bool dead) override;
  absl::StatusOr<std::optional<DeadLetter>> Find(int64_t id, bool dead) override;
  absl::Status Delete(int64_t id) override;
  absl::StatusOr<std::vector<DeadLetter>> List(bool dead, const std::string& rule, int64_t after,
                                               size_t count_max) override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  explicit SqliteMessageTables(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}
  absl::Status Load();

  const std::unique_ptr<sqlite::Database> database_;
  int64_t next_id_ = 1;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_SQLITE_MESSAGE_TABLES_H_
