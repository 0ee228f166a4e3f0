// Who this box is: its certificate and private key, one file.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_NODE_IDENTITY_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_NODE_IDENTITY_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/lib/model/names.h"
#include "services/lib/security/x509.h"

namespace skerry::edgehub {

// Certificate and key are replaced together or not at all, because they are one file that is
// replaced by one rename.
struct NodeIdentity {
  NodeName node;
  security::CertificateInfo certificate;
  std::string pem;  // The certificate, then the key.
};

// FAILED_PRECONDITION / NODE_NOT_JOINED where the file is missing, and / NODE_CERTIFICATE_WRONG
// where it is not a node's certificate with its key.
absl::StatusOr<NodeIdentity> ReadNodeIdentity(const std::string& path);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_NODE_IDENTITY_H_
