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
#include "services/lib/security/renewal.h"
#include "services/lib/security/tls.h"

namespace skerry::cloudhub {

struct HubPkiOptions {
  std::string state_dir;
  std::string ca_dir;  // <state_dir>/ca unless given.
  // Names and addresses by which nodes and controllers reach this hub, beside localhost, 127.0.0.1,
  // ::1 and the host's name.
  std::vector<std::string> sans;
  absl::Duration certificate_lifetime = absl::Hours(24 * 365);
  // False: clients' certificates come from elsewhere, so that none are written, renewed or
  // reported; what lies below clients/ is left as it is.
  bool write_clients = true;
};

// Files below <state_dir>:
//   ca/ca.crt ca/ca.key            the CA, or in a folder that replicas share; created at the
//                                  first start, never replaced
//   server/tls.crt server/tls.key  for the link, API and join ports
//   clients/{edge-controller,device-controller,router,operator}.{crt,key}, clients/ca.crt
//                                  written at the first start that knows of them
//   clients/written                which ones were
// A certificate is issued anew when its names changed or two thirds of its life are over. Its key
// stays, so that replacing it is one rename. Client certificates may be moved elsewhere: they are
// not written again.
//
// Open and Renew from one thread; the rest from any.
class HubPki {
 public:
  static absl::StatusOr<std::unique_ptr<HubPki>> Open(const HubPkiOptions& options, Clock& clock,
                                                      const log::Logger& log);

  // Whether Open would create a CA: no node can have joined yet.
  static bool IsNew(const HubPkiOptions& options);

  const security::CertificateAuthority& ca() const { return *ca_; }
  // What rpc and HTTP servers and the hub's own clients take; they notice replaced files by
  // themselves.
  const security::TlsFiles& server_files() const { return files_; }
  // Issues again what is due; for a RenewalLoop, which also shows when the CA ends ("ca").
  absl::StatusOr<security::RenewalReport> Renew();

 private:
  HubPki(HubPkiOptions options, Clock& clock, log::Logger log);
  struct Client;
  static const Client kClients[4];

  absl::Status WriteClients();
  security::CertificateSpec ClientSpec(const Client& client) const;
  // security::KeepCertificate, and a line in the log.
  absl::StatusOr<security::KeptCertificate> Keep(const std::string& certificate_file,
                                                 const std::string& key_file,
                                                 const security::CertificateSpec& spec);

  const HubPkiOptions options_;
  Clock& clock_;
  const log::Logger log_;
  security::TlsFiles files_;
  std::unique_ptr<security::CertificateAuthority> ca_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_HUB_PKI_H_
