#include "services/lib/kubeapi/store/write_op.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::kubeapi {
namespace {

std::string Describe(const ObjectKey& key) {
  if (key.object_namespace.empty()) return absl::StrCat(key.resource, " \"", key.name, "\"");
  return absl::StrCat(key.resource, " \"", key.object_namespace, "/", key.name, "\"");
}

absl::Status RevisionConflict(const WriteOp& op, StoreRevision stored) {
  return Error(absl::StatusCode::kAborted,
               absl::StrCat(Describe(op.key), " was changed: it is at revision ", stored, ", not ",
                            op.expected))
      .Reason("REVISION_CONFLICT")
      .Meta("stored", absl::StrCat(stored))
      .Meta("expected", absl::StrCat(op.expected));
}

}  // namespace

absl::StatusOr<Change> PlanWrite(const WriteOp& op, const std::optional<StoredObject>& current,
                                 StoreRevision revision) {
  Change change{.revision = revision, .key = op.key, .object = op.json};
  if (op.kind == WriteOp::Kind::kCreate) {
    if (current.has_value())
      return absl::AlreadyExistsError(absl::StrCat(Describe(op.key), " already exists"));
    return change;
  }
  if (!current.has_value()) return ObjectNotFound(op.key);
  if (op.expected != 0 && op.expected != current->revision)
    return RevisionConflict(op, current->revision);
  change.kind = op.kind == WriteOp::Kind::kUpdate ? ChangeKind::kModified : ChangeKind::kDeleted;
  change.previous = current->json;
  change.previous_revision = current->revision;
  if (op.kind == WriteOp::Kind::kDelete && op.json.empty()) change.object = current->json;
  return change;
}

absl::Status ObjectNotFound(const ObjectKey& key) {
  return absl::NotFoundError(absl::StrCat(Describe(key), " not found"));
}

absl::Status RevisionCompacted(StoreRevision asked, StoreRevision compacted) {
  return Error(absl::StatusCode::kOutOfRange,
               absl::StrCat("too old resource version: ", asked, " (", compacted, ")"))
      .Reason("REVISION_COMPACTED")
      .Meta("revision", absl::StrCat(asked))
      .Meta("compacted", absl::StrCat(compacted));
}

absl::Status RevisionInFuture(StoreRevision asked, StoreRevision current) {
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("too large resource version: ", asked, ", current: ", current))
      .Reason("REVISION_IN_FUTURE")
      .Meta("revision", absl::StrCat(asked))
      .Meta("current", absl::StrCat(current));
}

absl::Status CheckRevision(StoreRevision asked, StoreRevision compacted, StoreRevision current) {
  if (asked < compacted) return RevisionCompacted(asked, compacted);
  if (asked > current) return RevisionInFuture(asked, current);
  return absl::OkStatus();
}

}  // namespace skerry::kubeapi
