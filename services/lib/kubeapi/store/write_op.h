// What a conditional write does to the object that is there: the rules that all stores share.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_WRITE_OP_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_WRITE_OP_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/kubeapi/store/object_store.h"

namespace skerry::kubeapi {

struct WriteOp {
  enum class Kind { kCreate, kUpdate, kDelete };
  Kind kind = Kind::kCreate;
  ObjectKey key;
  std::string json;            // kDelete: the last state for the log, or empty.
  StoreRevision expected = 0;  // 0: any.
};

// The change that `op` makes to `current` when it is given `revision`; or why it may not be made.
absl::StatusOr<Change> PlanWrite(const WriteOp& op, const std::optional<StoredObject>& current,
                                 StoreRevision revision);

absl::Status ObjectNotFound(const ObjectKey& key);
absl::Status RevisionCompacted(StoreRevision asked, StoreRevision compacted);
absl::Status RevisionInFuture(StoreRevision asked, StoreRevision current);

// OK if lists and watches can start at `asked`.
absl::Status CheckRevision(StoreRevision asked, StoreRevision compacted, StoreRevision current);

// How much of the past the log keeps. Whatever bound is met first, the oldest changes go.
struct LogLimits {
  int64_t changes_max = 100000;
  int64_t bytes_max = 256 << 20;
  absl::Duration age_max = absl::Minutes(10);
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_WRITE_OP_H_
