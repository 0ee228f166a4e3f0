// MessageTables in PostgreSQL.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_POSTGRES_MESSAGE_TABLES_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_POSTGRES_MESSAGE_TABLES_H_

#include <optional>
#include <string>
#include <vector>

#include "services/lib/postgres/pool.h"
#include "services/router-svc/store/message_tables.h"

namespace skerry::router {

// `pool` outlives it, and has been migrated.
class PostgresMessageTables final : public MessageTables {
 public:
  static absl::Status Migrate(postgres::Pool& pool);
  explicit PostgresMessageTables(postgres::Pool& pool) : pool_(pool) {}

  absl::Status Transact(absl::FunctionRef<absl::Status()> body) override;
  absl::StatusOr<std::vector<Size>> Sizes() override;
  int64_t SizeBytes() override { return 0; }
  absl::StatusOr<uint64_t> LastSequence(const EventSource& source) override;
  absl::Status SetLast(const EventSource& source, uint64_t sequence) override;
  absl::Status Insert(const DeadLetter& message, bool dead) override;
  absl::StatusOr<std::optional<DeadLetter>> Find(int64_t id, bool dead) override;
  absl::Status Delete(int64_t id) override;
  absl::StatusOr<std::vector<DeadLetter>> List(bool dead, const std::string& rule, int64_t after,
                                               size_t count_max) override;

 private:
  postgres::Pool& pool_;
  pqxx::transaction_base* transaction_ = nullptr;  // Of Transact's body.
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_POSTGRES_MESSAGE_TABLES_H_
