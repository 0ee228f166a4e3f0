// NodeRecords in PostgreSQL.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_NODE_RECORDS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_NODE_RECORDS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "services/cloudhub-svc/sessions/node_records.h"
#include "services/lib/base/clock.h"
#include "services/lib/postgres/pool.h"

namespace skerry::cloudhub {

// For all replicas of a hub. An epoch belongs to its node's row and is given in the transaction
// that lets the box in, so that it is greater than those which any replica gave before, whatever
// the replicas' clocks say. Where the row was lost it starts at the present time, as EpochStore's.
//
// `pool`, whose database has the hub's tables, and `clock` outlive it.
class PostgresNodeRecords final : public NodeRecords {
 public:
  PostgresNodeRecords(postgres::Pool& pool, Clock& clock) : pool_(pool), clock_(clock) {}

  absl::StatusOr<uint64_t> Admit(const LinkingBox& box) override;
  absl::StatusOr<bool> EpochStored(const LinkingBox& box, uint64_t epoch) override;

 private:
  postgres::Pool& pool_;
  Clock& clock_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_NODE_RECORDS_H_
