// X.509 certificates as values: what the services here need to know of one.
#ifndef SKERRY_SERVICES_LIB_SECURITY_X509_H_
#define SKERRY_SERVICES_LIB_SECURITY_X509_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::security {

struct CertificateInfo {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // "10.0.0.1", "2001:db8::1".
  absl::Time not_before;
  absl::Time not_after;
  std::string serial;          // Upper-case hex.
  std::string sha256_hex;      // Of the DER.
  std::string key_sha256_hex;  // Of the public key (SubjectPublicKeyInfo).
  bool is_ca = false;
};

// Reads the first certificate of `pem`. INVALID_ARGUMENT / CERTIFICATE_INVALID if there is none.
absl::StatusOr<CertificateInfo> ParseCertificatePem(absl::string_view pem);

// DER of the first certificate.
absl::StatusOr<std::string> CertificatePemToDer(absl::string_view pem);
absl::StatusOr<std::string> CertificateDerToPem(absl::string_view der);

// OK if `key_pem` is the private key of the certificate.
absl::Status CheckKeyFitsCertificate(absl::string_view certificate_pem, absl::string_view key_pem);

// OK if `certificate_pem` (intermediates may follow) chains to `ca_pem` at `now`.
// FAILED_PRECONDITION with reason CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID or
// CERTIFICATE_UNTRUSTED otherwise.
absl::Status VerifyChain(absl::string_view certificate_pem, absl::string_view ca_pem,
                         absl::Time now);

// Lower-case hex of SHA-256.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_X509_H_
