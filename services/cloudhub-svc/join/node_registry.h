// The nodes that have joined, and the keys that their names belong to.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_REGISTRY_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_REGISTRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/model/names.h"

namespace skerry::cloudhub {

// Keys are named by the SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.
struct NodeRecord {
  std::string key_hash;
  // Keys that certificates were issued for since, until the node is seen to use one: only the node
  // knows which answer reached its disk, so all of them are its own till then. More than one where
  // an answer was lost, or a request came late.
  std::vector<std::string> next_key_hashes;
  bool disabled = false;
};

// PERMISSION_DENIED / NODE_DISABLED.
absl::Status NodeDisabled(const NodeName& node);
// NOT_FOUND / NODE_UNKNOWN.
absl::Status NodeNotFound(const NodeName& node);

// Whether a node that proved `key_hash` may have a new certificate. PERMISSION_DENIED /
// NODE_UNKNOWN, NODE_DISABLED or NODE_KEY_REPLACED.
absl::Status CheckRotation(const std::optional<NodeRecord>& record, const NodeName& node,
                           absl::string_view key_hash);

// Of more next keys of a node the oldest are forgotten.
inline constexpr int64_t kNextKeysMax = 8;

// Durable before it returns. Any thread may call it.
class NodeRegistry {
 public:
  virtual ~NodeRegistry() = default;
  // CheckRotation, and the record that `next_key_hash` is the node's too, in one transaction; to be
  // called before the certificate is issued. Asking with a next key is using it, as a link is. A
  // refusal changes nothing.
  virtual absl::Status BeginRotation(const NodeName& node, absl::string_view key_hash,
                                     absl::string_view next_key_hash, absl::Time now) = 0;
  // NOT_FOUND / NODE_UNKNOWN. Setting what is set is fine.
  virtual absl::Status SetDisabled(const NodeName& node, bool disabled) = 0;
  virtual absl::StatusOr<std::vector<NodeName>> DisabledNodes() = 0;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_REGISTRY_H_
