// What the hub remembers of a node's name, and whom it lets link by that.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_CORE_NODE_RECORD_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_CORE_NODE_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/model/names.h"

namespace skerry::cloudhub {

// Reasons of refusals.
inline constexpr char kNodeKeyWrong[] = "NODE_KEY_WRONG";
inline constexpr char kNodeCloned[] = "NODE_CLONED";
inline constexpr char kNodeDisabled[] = "NODE_DISABLED";

// Keys are SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.
struct NameRecord {
  std::string key_hash;  // Whose the name is.
  // Empty unless a join has replaced a key and the new one has not linked yet: the answer to that
  // join may have been lost, and a box must not lose its link by a join that failed.
  std::string former_key_hash;
  // Keys that certificates were issued for since: the node's too, until it links with one of them.
  std::vector<std::string> next_key_hashes;
  // The process that last stored an epoch, and the one before it.
  std::string boot_id;
  std::string former_boot_id;
  // What `boot_id` found on its disk: whose disk is older is a copy. 0 where nothing is known.
  uint64_t epoch_min = 0;

  bool operator==(const NameRecord&) const = default;
};

// A box that asks for a session.
struct LinkingBox {
  NodeName node;              // As its certificate says.
  std::string key_hash;       // Of the key that it proved.
  std::string boot_id;        // These two as its Hello says.
  uint64_t stored_epoch = 0;  // 0 where its disk has none.
};

// What is to be remembered once `box` is let in. A name of which nothing is known is from then on
// the box's: it can only have been lost, since joining records it. A next key that is used is from
// then on the only one. PERMISSION_DENIED /
// NODE_KEY_WRONG where the name is another key's. FAILED_PRECONDITION / NODE_CLONED where another
// box goes on from an earlier state of this one's disk (ADR 13).
absl::StatusOr<NameRecord> Admit(const std::optional<NameRecord>& record, const LinkingBox& box);

// Whether `box`, which was let in, is a process that another took for dead: two boxes have the key.
bool HasReturned(const NameRecord& record, const LinkingBox& box);

// What is to be remembered once `box` has the epoch of its session on its disk; `stored_epoch` is
// what it named before.
NameRecord EpochStored(const NameRecord& record, const LinkingBox& box, uint64_t epoch);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_CORE_NODE_RECORD_H_
