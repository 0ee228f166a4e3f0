// What the hub remembers of a node's name, and whom it lets link by that.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_CORE_NODE_RECORD_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_CORE_NODE_RECORD_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/lib/model/names.h"

namespace skerry::cloudhub {

// Reasons of refusals.
inline constexpr char kNodeKeyWrong[] = "NODE_KEY_WRONG";

// Keys are SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.
struct NameRecord {
  std::string key_hash;  // Whose the name is.
  // Empty unless a join has replaced a key and the new one has not linked yet: the answer to that
  // join may have been lost, and a box must not lose its link by a join that failed.
  std::string former_key_hash;

  bool operator==(const NameRecord&) const = default;
};

// A box that asks for a session.
struct LinkingBox {
  NodeName node;         // As its certificate says.
  std::string key_hash;  // Of the key that it proved.
};

// What is to be remembered once `box` is let in. A name of which nothing is known is from then on
// the box's: it can only have been lost, since joining records it. PERMISSION_DENIED /
// NODE_KEY_WRONG where the name is another key's.
absl::StatusOr<NameRecord> Admit(const std::optional<NameRecord>& record, const LinkingBox& box);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_CORE_NODE_RECORD_H_
