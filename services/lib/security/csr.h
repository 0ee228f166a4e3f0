// Keys and certificate signing requests.
#ifndef SKERRY_SERVICES_LIB_SECURITY_CSR_H_
#define SKERRY_SERVICES_LIB_SECURITY_CSR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::security {

struct CertificateSubject {
  std::string common_name;
  std::vector<std::string> organizations;
};

struct KeyAndCsr {
  std::string key_pem;
  std::string csr_pem;
};

// A new P-256 key and a request for `subject`, signed with it.
absl::StatusOr<KeyAndCsr> MakeKeyAndCsr(const CertificateSubject& subject);
// The same for a key that is there already.
absl::StatusOr<std::string> MakeCsr(absl::string_view key_pem, const CertificateSubject& subject);

// Reads a peer's request. INVALID_ARGUMENT / CSR_INVALID unless it parses, its signature proves the
// key, it has exactly one common name, and the key is good: P-256, P-384, or RSA of 2,048 to 4,096
// bits.
absl::StatusOr<CertificateSubject> ParseCsr(absl::string_view csr_pem);

// The public key of a request that ParseCsr accepts, as DER of its SubjectPublicKeyInfo: the same
// bytes for every request made with one key.
absl::StatusOr<std::string> CsrPublicKeyDer(absl::string_view csr_pem);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_CSR_H_
