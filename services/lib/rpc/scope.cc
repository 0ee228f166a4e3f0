#include "services/lib/rpc/scope.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/security/x509.h"

namespace skerry::rpc {

CallScope ScopeOf(const grpc::ServerContextBase& context) {
  CallScope scope;
  std::chrono::system_clock::time_point deadline = context.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) {
    scope.deadline = absl::FromChrono(deadline);
  }
  scope.peer.address = context.peer();
  std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return scope;
  std::vector<grpc::string_ref> pem = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return scope;
  // The handshake verified the chain; here it is only read.
  absl::StatusOr<security::CertificateInfo> info =
      security::ParseCertificatePem(absl::string_view(pem[0].data(), pem[0].size()));
  if (!info.ok()) return scope;
  scope.peer.common_name = std::move(info->common_name);
  scope.peer.organizations = std::move(info->organizations);
  scope.peer.key_hash = std::move(info->key_sha256_hex);
  return scope;
}

}  // namespace skerry::rpc
