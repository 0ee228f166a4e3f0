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
#include "services/lib/security/ca.h"

namespace skerry::standaloneapi {

struct ServingFiles {
  std::string ca;
  std::string cert;
  std::string key;
};

// Used by one thread, at start.
class Pki {
 public:
  // Under <state_dir>/pki: ca.crt and ca.key, made on first start.
  static absl::StatusOr<std::unique_ptr<Pki>> Open(const std::string& state_dir, absl::Time now);

  // apiserver.crt and apiserver.key for localhost, this host, the names a cluster's pods use, and
  // `sans`. A new one at every start, so that it never expires in a server that is restarted once a
  // year.
  absl::StatusOr<ServingFiles> IssueServing(const std::vector<std::string>& sans,
                                            absl::Time now) const;

  // <folder>/<name>.kubeconfig (0600) for a client with that common name and organization.
  absl::Status WriteKubeconfig(const std::string& folder, absl::string_view name,
                               absl::string_view server, absl::string_view common_name,
                               absl::string_view organization, absl::Time now) const;

  const std::string& ca_pem() const { return ca_->certificate_pem(); }

 private:
  Pki(std::string folder, std::unique_ptr<security::CertificateAuthority> ca)
      : folder_(std::move(folder)), ca_(std::move(ca)) {}

  const std::string folder_;
  const std::unique_ptr<security::CertificateAuthority> ca_;
};

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_PKI_H_
