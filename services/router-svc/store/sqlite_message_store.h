// MessageStore in a SQLite file.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_SQLITE_MESSAGE_STORE_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_SQLITE_MESSAGE_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"
#include "services/router-svc/store/message_store.h"

namespace skerry::router {

// Of a damaged file the rows that can be read go into a new one; where a place in a stream was lost
// with it, its events come and are posted again, with the same keys.
class SqliteMessageStore final : public MessageStore {
 public:
  struct Bounds {
    int64_t rule_bytes_max = 64 << 20;     // That wait of one rule.
    int64_t letter_bytes_max = 256 << 20;  // Of all dead letters.
    int64_t size_bytes_max = 0;            // Of the file; 0: none.
  };
  static absl::StatusOr<std::unique_ptr<SqliteMessageStore>> Open(
      const std::string& path, const Bounds& bounds, const sqlite::Environment& environment = {});

  absl::StatusOr<Accepted> Accept(const EventSource& source, const std::vector<NewEvent>& events,
                                  absl::Time now) override;
  absl::StatusOr<std::vector<Message>> Waiting(const std::string& rule, size_t count_max) override;
  std::vector<std::string> RulesWaiting() override;
  absl::Status Remove(const std::vector<int64_t>& ids) override;
  absl::StatusOr<int64_t> Bury(int64_t id, absl::string_view error, absl::Time now) override;
  absl::StatusOr<std::vector<DeadLetter>> Letters(const std::string& rule, int64_t after,
                                                  size_t count_max) override;
  absl::StatusOr<std::string> Replay(int64_t id, absl::Time now) override;
  absl::Status Drop(int64_t id) override;
  MessageStats stats() override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return repair_; }

 private:
  // How much there is: changed by a transaction's body, and kept where that was committed.
  struct Totals {
    struct Size {
      int64_t count = 0;
      int64_t bytes = 0;
    };
    std::map<std::string, Size> waiting;  // By rule.
    Size letters;
    int64_t next_id = 1;
  };
  SqliteMessageStore(std::unique_ptr<sqlite::Database> database, const Bounds& bounds)
      : bounds_(bounds), repair_(database->repair()), database_(std::move(database)) {}

  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Change(absl::FunctionRef<absl::Status(Totals&)> body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Parts of a transaction.
  absl::StatusOr<uint64_t> LastSequence(const EventSource& source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SetLast(const EventSource& source, uint64_t sequence)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Insert(const DeadLetter& message, bool dead) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Put(NewMessage message, absl::Time now, Totals& totals, Accepted& accepted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // NOT_FOUND.
  absl::StatusOr<DeadLetter> Find(int64_t id, bool dead) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Delete(int64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MakeRoom(Totals& totals, int64_t& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Bounds bounds_;
  const std::optional<sqlite::Repair> repair_;
  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
  Totals totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_SQLITE_MESSAGE_STORE_H_
