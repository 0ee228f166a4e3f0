// The client side of TLS for HTTP.
#ifndef SKERRY_SERVICES_LIB_HTTP_CLIENT_TLS_H_
#define SKERRY_SERVICES_LIB_HTTP_CLIENT_TLS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/http/tls_context.h"
#include "services/lib/security/system_roots.h"

namespace skerry::http {

// Whom to trust, and who we are. Of the roots the first that is there: `ca_file`, `ca_pem`, the
// system's.
struct TlsTrust {
  bool verify = true;
  std::string ca_file;  // PEM.
  std::string ca_pem;
  std::string identity_pem;  // A certificate and its key; empty: none is shown.
  security::SystemRootPlaces system;
};

// TLS 1.2 and later. Made for each connection: files may change, and the roots are memory.
// UNAVAILABLE / HTTP_TLS_FAILED tells what can't be used.
absl::StatusOr<SslContext> MakeClientContext(const TlsTrust& trust);

// Before the handshake: the name or address (without brackets) that the server's certificate must
// have. It is sent too, where it is a name.
absl::Status ExpectServer(ssl_st* ssl, const std::string& host, bool verify);

// Why a handshake failed: HTTP_TLS_UNTRUSTED or HTTP_TLS_FAILED (UNAVAILABLE). `what` is the
// stream's own word.
absl::Status HandshakeError(const ssl_st* ssl, const std::string& host, absl::string_view what);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_CLIENT_TLS_H_
