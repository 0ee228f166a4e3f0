// The hub's certificates: the CA, its own server certificate, and the first client certificates.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_HUB_PKI_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_HUB_PKI_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/tls.h"

namespace skerry::cloudhub {

struct HubPkiOptions {
  std::string state_dir;
  // Names and addresses by which nodes and controllers reach this hub, beside localhost, 127.0.0.1, ::1 and
  // the host's name.
  std::vector<std::string> sans;
  absl::Duration certificate_lifetime = absl::Hours(24 * 365);
};

// Files below <state_dir>:
//   ca/ca.crt ca/ca.key           the CA; created at the first start, never replaced
//   server/tls.crt server/tls.key for the link, API and join ports; issued anew when `sans` changed or two
//                                 thirds of its life are over. The key stays, so that replacing is one rename.
//   clients/{edge-controller,operator}.{crt,key}  written at the first start and never overwritten, so that
//                                 they can be moved elsewhere: issued again only where both are missing and
//                                 the CA is new. clients/ca.crt is a copy of the CA.
//
// Open and Renew from one thread; the rest from any.
class HubPki {
 public:
  static absl::StatusOr<std::unique_ptr<HubPki>> Open(const HubPkiOptions& options, Clock& clock,
                                                      const log::Logger& log);

  const security::CertificateAuthority& ca() const { return *ca_; }
  // What rpc and HTTP servers and the hub's own clients take; they notice replaced files by themselves.
  const security::TlsFiles& server_files() const { return files_; }
  // Issues the server certificate again if it is due; to be called every hour or so.
  absl::Status Renew();

 private:
  HubPki(HubPkiOptions options, Clock& clock, log::Logger log);
  absl::Status WriteClients();

  const HubPkiOptions options_;
  Clock& clock_;
  const log::Logger log_;
  security::TlsFiles files_;
  std::unique_ptr<security::CertificateAuthority> ca_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_HUB_PKI_H_
