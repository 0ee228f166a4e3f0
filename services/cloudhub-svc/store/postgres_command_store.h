// CommandStore in PostgreSQL.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_POSTGRES_COMMAND_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_POSTGRES_COMMAND_STORE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/postgres/pool.h"

namespace skerry::cloudhub {

// For all replicas of a hub. Commands of a node are inserted one after the other, so that whoever
// reads some of them knows all that were before those. Progress is taken from the newest session
// alone, of which hub_nodes tells. Every change is announced (command_watch.h).
//
// `pool`, whose database has the hub's tables, and `clock`, by which times are told, outlive it.
class PostgresCommandStore final : public CommandStore {
 public:
  PostgresCommandStore(postgres::Pool& pool, const CommandQueueBounds& bounds, Clock& clock)
      : pool_(pool), bounds_(bounds), clock_(clock) {}

  absl::StatusOr<bool> Insert(const StoredCommand& command) override;
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                    absl::string_view key) override;
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) override;
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node, absl::string_view after,
                                                  size_t count_max) override;
  absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& progress, uint64_t epoch) override;
  absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& end) override;
  // Where another hub does it just now it is done.
  absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) override;

 private:
  postgres::Pool& pool_;
  const CommandQueueBounds bounds_;
  Clock& clock_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_POSTGRES_COMMAND_STORE_H_
