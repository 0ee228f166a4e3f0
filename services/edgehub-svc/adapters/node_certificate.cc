#include "services/edgehub-svc/adapters/node_certificate.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"

namespace skerry::edgehub {

absl::StatusOr<NodeCertificate> ReadNodeCertificate(const std::string& path) {
  absl::StatusOr<std::string> pem = security::ReadSmallFile(path);
  if (absl::IsNotFound(pem.status())) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("there is no node certificate at ", path,
                              ": join this box first (skerryctl join)"))
        .Reason("NODE_NOT_JOINED");
  }
  if (!pem.ok()) return pem.status();
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo info, security::ParseCertificatePem(*pem));
  absl::string_view name = info.common_name;
  const bool prefixed = absl::ConsumePrefix(&name, "system:node:");
  absl::StatusOr<NodeName> node = NodeName::Parse(name);
  if (!prefixed || !node.ok()) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat(path, " is not a node's certificate: its CN is ", info.common_name,
                              ", not system:node:<name>; join this box again (skerryctl join)"))
        .Reason("NODE_CERTIFICATE_WRONG");
  }
  return NodeCertificate{*node, info.not_after};
}

}  // namespace skerry::edgehub
