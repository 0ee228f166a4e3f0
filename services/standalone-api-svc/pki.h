// The server's certificates and the kubeconfig files that it hands out.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_PKI_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_PKI_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/renewal.h"

namespace skerry::standaloneapi {

struct CertificateFiles {
  std::string ca;
  std::string cert;
  std::string key;
};

struct PkiOptions {
  std::string state_dir;
  // Under which clients reach the API, beside localhost, this host's name and the names that a
  // cluster's pods use.
  std::vector<std::string> sans;
  std::string kubeconfig_dir;
  absl::Duration certificate_lifetime = absl::Hours(24 * 365);
};

// Files below <state_dir>/pki:
//   ca.crt ca.key                the CA; created at the first start, never replaced
//   apiserver.crt apiserver.key  what the API is served with
//   apiserver-kubelet-client.crt apiserver-kubelet-client.key  how it shows itself to kubelets
// and in kubeconfig_dir:
//   admin.kubeconfig             system:masters
//   edge-controller.kubeconfig   skerry:controllers
//   device-controller.kubeconfig skerry:controllers
//   router.kubeconfig            skerry:routers
//   cloudhub.kubeconfig          skerry:hubs
// A kubeconfig holds its certificate and key itself, so each is replaced by one rename.
//
// Used by one thread at a time.
class Pki {
 public:
  // The CA and the API's own certificates.
  static absl::StatusOr<std::unique_ptr<Pki>> Open(const PkiOptions& options, Clock& clock,
                                                   const log::Logger& log);

  const CertificateFiles& serving_files() const { return files_; }
  const CertificateFiles& kubelet_client_files() const { return kubelet_client_; }
  const std::string& ca_pem() const { return ca_->certificate_pem(); }

  // Issues what is due, for a RenewalLoop. A kubeconfig is due also when it is not there, or names
  // another CA or server than `server`, the API's URL. Also tells when the CA ends ("ca").
  absl::StatusOr<security::RenewalReport> Renew(absl::string_view server);

 private:
  struct Client;
  static const Client kClients[5];

  Pki(PkiOptions options, Clock& clock, log::Logger log);
  absl::StatusOr<security::KeptCertificate> KeepServing();
  absl::StatusOr<security::KeptCertificate> KeepKubeletClient();
  absl::StatusOr<security::KeptCertificate> Keep(const CertificateFiles& files,
                                                 const security::CertificateSpec& spec);
  absl::StatusOr<security::KeptCertificate> KeepKubeconfig(const Client& client,
                                                           absl::string_view server);

  const PkiOptions options_;
  Clock& clock_;
  const log::Logger log_;
  CertificateFiles files_;
  CertificateFiles kubelet_client_;
  std::unique_ptr<security::CertificateAuthority> ca_;
};

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_PKI_H_
