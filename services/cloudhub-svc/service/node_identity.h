// Which node a certificate belongs to.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_NODE_IDENTITY_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_NODE_IDENTITY_H_

#include "absl/status/statusor.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/call_scope.h"

namespace skerry::cloudhub {

// As a kubelet's: CN "system:node:<name>", O "system:nodes". PERMISSION_DENIED /
// NODE_CERTIFICATE_REQUIRED for any other (L7).
absl::StatusOr<NodeName> NodeOf(const rpc::PeerIdentity& peer);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_NODE_IDENTITY_H_
