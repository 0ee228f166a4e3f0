#include "services/cloudhub-svc/core/node_record.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

Error Refused(absl::StatusCode code, absl::string_view reason, const LinkingBox& box,
              absl::string_view why) {
  const std::string& node = box.node.value();
  return Error(code, absl::StrCat(why, "; if this box is to be node '", node,
                                  "': skerryctl token create --node ", node,
                                  ", then skerryctl join --force on the box"))
      .Reason(reason)
      .Meta("node", node);
}

}  // namespace

absl::StatusOr<NameRecord> Admit(const std::optional<NameRecord>& record, const LinkingBox& box) {
  if (!record.has_value()) return NameRecord{.key_hash = box.key_hash};
  NameRecord next = *record;
  const std::vector<std::string>& issued = record->next_key_hashes;
  if (std::find(issued.begin(), issued.end(), box.key_hash) != issued.end()) {
    next.key_hash = box.key_hash;
    next.next_key_hashes.clear();
  }
  const bool current = box.key_hash == next.key_hash;
  // The first link since a join replaced the key: what is known of sessions is of the other's box.
  if (current && !next.former_key_hash.empty())
    return NameRecord{.key_hash = next.key_hash, .next_key_hashes = next.next_key_hashes};
  if (!current && box.key_hash != next.former_key_hash) {
    return Refused(absl::StatusCode::kPermissionDenied, kNodeKeyWrong, box,
                   "the node's name belongs to another key than this box's");
  }
  if (box.stored_epoch != 0 && box.stored_epoch < next.epoch_min && !HasReturned(next, box)) {
    return Refused(absl::StatusCode::kFailedPrecondition, kNodeCloned, box,
                   "another box has this box's key and went on from an earlier state of its disk, "
                   "which was copied or restored from a backup");
  }
  return next;
}

bool HasReturned(const NameRecord& record, const LinkingBox& box) {
  return box.boot_id == record.former_boot_id && box.boot_id != record.boot_id;
}

NameRecord EpochStored(const NameRecord& record, const LinkingBox& box, uint64_t epoch) {
  NameRecord next = record;
  if (HasReturned(record, box)) {
    // The process in between is a copy's, and so is what it stored: nothing older than now is good.
    next.boot_id = box.boot_id;
    next.former_boot_id.clear();
    next.epoch_min = epoch;
  } else if (box.boot_id != record.boot_id) {
    // What it found it may find again: disks lie about what they have written since.
    next.boot_id = box.boot_id;
    next.former_boot_id = record.boot_id;
    next.epoch_min = record.boot_id.empty() ? 0 : box.stored_epoch;
  }
  // Epochs go back where the hub has lost them; no box is refused for that.
  next.epoch_min = std::min(next.epoch_min, epoch);
  return next;
}

}  // namespace skerry::cloudhub
