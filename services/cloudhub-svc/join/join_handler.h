// What the join port answers, without the port.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_HANDLER_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_HANDLER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/core/rate_limiter.h"
#include "services/cloudhub-svc/join/join_metrics.h"
#include "services/cloudhub-svc/join/renewal_handler.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/ca.h"

namespace skerry::cloudhub {

struct JoinHandlerOptions {
  std::string link_address;  // Empty: the request's host, and link_port.
  std::string link_port;     // "10000".
  absl::Duration node_certificate_lifetime = absl::Hours(24 * 365);
};

// Any thread may call it. What it is given outlives it.
class JoinHandler {
 public:
  JoinHandler(JoinHandlerOptions options, const security::CertificateAuthority& ca,
              TokenStore& tokens, RenewalHandler& renewals, JoinMetrics& metrics, Clock& clock,
              const log::Logger& log);

  http::Response Handle(const http::Request& request);

 private:
  // `answer`, within the bound on failures of the request's address.
  http::Response Guarded(const http::Request& request,
                         absl::FunctionRef<absl::StatusOr<http::Response>()> answer);
  absl::StatusOr<http::Response> Issue(const http::Request& request);
  absl::StatusOr<http::Response> Look(const http::Request& request);
  http::Response Refuse(const http::Request& request, const absl::Status& status);
  std::string LinkAddressFor(const http::Request& request) const;

  const JoinHandlerOptions options_;
  const security::CertificateAuthority& ca_;
  TokenStore& tokens_;
  RenewalHandler& renewals_;
  JoinMetrics& metrics_;
  Clock& clock_;
  const log::Logger log_;
  RateLimiter requests_;
  RateLimiter failures_;  // Guesses at tokens, whatever they are shown to.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_HANDLER_H_
