// A new certificate for a node that proves its present one.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_RENEWAL_HANDLER_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_RENEWAL_HANDLER_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/join/join_metrics.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/x509.h"

namespace skerry::cloudhub {

struct RenewalOptions {
  absl::Duration certificate_lifetime = absl::Hours(24 * 365);
  absl::Duration expired_grace = absl::Hours(24 * 30);  // After the end of the present one.
};

// The proof is the TLS handshake, which the server takes also with a certificate whose time is over
// (http::ServerOptions::accept_expired_clients). Any thread may call it. What it is given outlives
// it.
class RenewalHandler {
 public:
  RenewalHandler(const RenewalOptions& options, const security::CertificateAuthority& ca,
                 NodeRegistry& nodes, JoinMetrics& metrics, Clock& clock, const log::Logger& log);

  http::Response Handle(const http::Request& request);

 private:
  struct Node {
    NodeName name;
    security::CertificateInfo certificate;  // The present one.
    bool expired = false;
  };
  absl::StatusOr<Node> Authenticate(const http::Request& request) const;
  absl::StatusOr<http::Response> Issue(const http::Request& request);

  const RenewalOptions options_;
  const security::CertificateAuthority& ca_;
  NodeRegistry& nodes_;
  JoinMetrics& metrics_;
  Clock& clock_;
  const log::Logger log_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_RENEWAL_HANDLER_H_
