#include "services/edgehub-svc/renewal/node_identity.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"

namespace skerry::edgehub {

absl::StatusOr<NodeIdentity> ReadNodeIdentity(const std::string& path) {
  absl::StatusOr<std::string> pem = security::ReadSmallFile(path);
  if (absl::IsNotFound(pem.status())) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("there is no node certificate at ", path,
                              ": join this box first (skerryctl join)"))
        .Reason("NODE_NOT_JOINED");
  }
  if (!pem.ok()) return pem.status();
  const auto wrong = [&path](absl::string_view why) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat(path, " is not a node's certificate with its key: ", why,
                              "; join this box again (skerryctl join)"))
        .Reason("NODE_CERTIFICATE_WRONG");
  };
  absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(*pem);
  if (!info.ok()) return wrong(info.status().message());
  absl::string_view name = info->common_name;
  const bool prefixed = absl::ConsumePrefix(&name, "system:node:");
  absl::StatusOr<NodeName> node = NodeName::Parse(name);
  if (!prefixed || !node.ok()) {
    return wrong(absl::StrCat("its CN is ", info->common_name, ", not system:node:<name>"));
  }
  const absl::Status fits = security::CheckKeyFitsCertificate(*pem, *pem);
  if (!fits.ok()) return wrong(fits.message());
  return NodeIdentity{*std::move(node), *std::move(info), *std::move(pem)};
}

}  // namespace skerry::edgehub
