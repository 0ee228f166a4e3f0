#include "services/cloudhub-svc/join/node_registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

absl::Status Refused(const NodeName& node, absl::string_view reason, absl::string_view why) {
  return Error(absl::StatusCode::kPermissionDenied, absl::StrCat("node '", node.value(), "' ", why))
      .Reason(reason)
      .Meta("node", node.value());
}

}  // namespace

absl::Status NodeDisabled(const NodeName& node) {
  return Refused(node, "NODE_DISABLED", "was disabled by an operator");
}

absl::Status NodeNotFound(const NodeName& node) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("node '", node.value(), "' has not joined this hub"))
      .Reason("NODE_UNKNOWN")
      .Meta("node", node.value());
}

absl::Status CheckRotation(const std::optional<NodeRecord>& record, const NodeName& node,
                           absl::string_view key_hash) {
  if (!record.has_value()) return Refused(node, "NODE_UNKNOWN", "has not joined this hub");
  if (record->disabled) return NodeDisabled(node);
  const auto is_key = [key_hash](absl::string_view hash) { return hash == key_hash; };
  const std::vector<std::string>& next = record->next_key_hashes;
  if (is_key(record->key_hash) || std::any_of(next.begin(), next.end(), is_key)) {
    return absl::OkStatus();
  }
  return Refused(node, "NODE_KEY_REPLACED", "belongs to another key by now");
}

}  // namespace skerry::cloudhub
