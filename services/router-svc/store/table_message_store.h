// MessageStore over the tables of a database.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_TABLE_MESSAGE_STORE_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_TABLE_MESSAGE_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/router-svc/store/message_store.h"
#include "services/router-svc/store/message_tables.h"

namespace skerry::router {

// Knows how much there is, to keep the bounds: one process has the tables at a time. (Where a new
// one begins while the former ends, the bounds are a little off for that time, nothing else.)
class TableMessageStore final : public MessageStore {
 public:
  struct Bounds {
    int64_t rule_bytes_max = 64 << 20;     // That wait of one rule.
    int64_t letter_bytes_max = 256 << 20;  // Of all dead letters.
  };
  // Reads how much there is.
  static absl::StatusOr<std::unique_ptr<TableMessageStore>> Open(
      std::unique_ptr<MessageTables> tables, const Bounds& bounds);

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

 private:
  // Changed by a transaction's body, and kept where that was committed.
  struct Totals {
    struct Size {
      int64_t count = 0;
      int64_t bytes = 0;
      void Add(int64_t size) { ++count, bytes += size; }
      void Remove(int64_t size) { --count, bytes -= size; }
    };
    std::map<std::string, Size> waiting;  // By rule, never of none.
    Size letters;
    void RemoveWaiting(const NewMessage& message);
  };
  TableMessageStore(std::unique_ptr<MessageTables> tables, const Bounds& bounds)
      : bounds_(bounds), tables_(std::move(tables)) {}

  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Change(absl::FunctionRef<absl::Status(Totals&)> body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::vector<DeadLetter>> List(bool dead, const std::string& rule, int64_t after,
                                               size_t count_max)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Parts of a transaction.
  absl::Status Put(const NewMessage& message, absl::Time now, Totals& totals, Accepted& accepted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // NOT_FOUND / DEAD_LETTER_UNKNOWN.
  absl::StatusOr<DeadLetter> Find(int64_t id, bool dead) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MakeRoom(Totals& totals, int64_t& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Bounds bounds_;
  absl::Mutex mutex_;
  const std::unique_ptr<MessageTables> tables_ ABSL_PT_GUARDED_BY(mutex_);
  Totals totals_ ABSL_GUARDED_BY(mutex_);
  bool stale_ ABSL_GUARDED_BY(mutex_) = false;  // How a commit ended is not known.
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_TABLE_MESSAGE_STORE_H_
