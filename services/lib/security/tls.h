// TLS credentials that follow their files: a replaced certificate serves the next handshake.
#ifndef SKERRY_SERVICES_LIB_SECURITY_TLS_H_
#define SKERRY_SERVICES_LIB_SECURITY_TLS_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skerry::security {

// PEM files. All absolute or relative to the working directory.
struct TlsFiles {
  std::string ca;    // Trusted roots.
  std::string cert;  // Own chain.
  std::string key;   // Own private key.
};

enum class ClientCertificates {
  kRequired,  // A client without one is refused in the handshake.
  kOptional,  // For callers with tokens. One that is shown is verified all the same.
};

// A client's certificate must be of `files.ca`. INVALID_ARGUMENT names the file that is missing or
// does not parse, and a key that does not fit its certificate. Files are read again every 2 s.
// Clients verify the server's certificate against the host they dial (ChannelOptions::server_name
// overrides it). Who may call what is not their business: rpc::UseTls.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MutualTlsServer(
    const TlsFiles& files, ClientCertificates certificates = ClientCertificates::kRequired);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MutualTlsClient(const TlsFiles& files);

// OK if all three files are there, parse, and the key fits the certificate.
absl::Status CheckTlsFiles(const TlsFiles& files);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_TLS_H_
