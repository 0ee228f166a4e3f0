#include "services/cloudhub-svc/service/node_identity.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {

absl::StatusOr<NodeName> NodeOf(const rpc::PeerIdentity& peer) {
  const auto refuse = [&](absl::string_view why) {
    return Error(
               absl::StatusCode::kPermissionDenied,
               absl::StrCat(
                   "a node's certificate is needed (CN system:node:<name>, O system:nodes): ", why))
        .Reason("NODE_CERTIFICATE_REQUIRED")
        .Meta("common_name", peer.common_name);
  };
  if (std::find(peer.organizations.begin(), peer.organizations.end(), "system:nodes") ==
      peer.organizations.end()) {
    return refuse("it lacks O system:nodes");
  }
  absl::string_view name = peer.common_name;
  if (!absl::ConsumePrefix(&name, "system:node:")) return refuse("its CN is of another kind");
  absl::StatusOr<NodeName> node = NodeName::Parse(name);
  if (!node.ok()) return refuse(node.status().message());
  return node;
}

}  // namespace skerry::cloudhub
