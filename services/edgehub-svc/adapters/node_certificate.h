// Who this box is: what its certificate says.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_NODE_CERTIFICATE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_NODE_CERTIFICATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/model/names.h"

namespace skerry::edgehub {

struct NodeCertificate {
  NodeName node;
  absl::Time not_after;
};

// FAILED_PRECONDITION / NODE_NOT_JOINED where the file is missing, and / NODE_CERTIFICATE_WRONG
// where it is not a node's.
absl::StatusOr<NodeCertificate> ReadNodeCertificate(const std::string& path);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_NODE_CERTIFICATE_H_
