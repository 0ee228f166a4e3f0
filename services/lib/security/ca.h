// A certificate authority: one P-256 key that signs the certificates of a cluster's parts.
#ifndef SKERRY_SERVICES_LIB_SECURITY_CA_H_
#define SKERRY_SERVICES_LIB_SECURITY_CA_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/security/csr.h"

namespace skerry::security {

// What a certificate says. Everything but the public key comes from here, nothing from a request.
struct CertificateSpec {
  CertificateSubject subject;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  // Valid from an hour before it (a tenth of a shorter life), for peers whose clocks are behind.
  absl::Time now;
  absl::Duration lifetime = absl::Hours(24 * 365);  // Cut at the end of the CA's own.
  bool for_server = false;
  bool for_client = false;
};

struct CertificateAndKey {
  std::string certificate_pem;
  std::string key_pem;
};

// Immutable; any thread may call it.
class CertificateAuthority {
 public:
  // Valid for ten years from `now`.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> Create(absl::string_view common_name,
                                                                      absl::Time now);
  // INVALID_ARGUMENT: not a CA certificate, or the key is another's.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> Load(
      absl::string_view certificate_pem, absl::string_view key_pem);
  // <folder>/ca.crt (0644) and <folder>/ca.key (0600). Created if neither is there;
  // FAILED_PRECONDITION if one of them is missing, because a new CA would lock out every node that
  // trusts the old one.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> LoadOrCreate(
      const std::string& folder, absl::string_view common_name, absl::Time now);
  ~CertificateAuthority();

  const std::string& certificate_pem() const { return certificate_pem_; }
  // Lower-case hex SHA-256 of the certificate's DER: the first part of a join token, as KubeEdge's.
  const std::string& hash() const { return hash_; }
  // Of the certificate; no certificate that it issues ends later.
  absl::Time end() const;

  // A certificate for the key of `csr_pem` (checked as ParseCsr does); its subject is that of
  // `spec`.
  absl::StatusOr<std::string> SignCsr(absl::string_view csr_pem, const CertificateSpec& spec) const;
  // With a new P-256 key.
  absl::StatusOr<CertificateAndKey> Issue(const CertificateSpec& spec) const;

 private:
  struct Material;
  CertificateAuthority(std::unique_ptr<Material> material, std::string certificate_pem,
                       std::string hash);

  std::unique_ptr<Material> material_;
  const std::string certificate_pem_;
  const std::string hash_;
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_CA_H_
