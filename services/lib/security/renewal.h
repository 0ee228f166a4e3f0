// When certificates are replaced, and files that hold one which does not run out.
#ifndef SKERRY_SERVICES_LIB_SECURITY_RENEWAL_H_
#define SKERRY_SERVICES_LIB_SECURITY_RENEWAL_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/x509.h"

namespace skerry::security {

// When two thirds of its life are over.
absl::Time RenewalTime(const CertificateInfo& certificate);

// Why a certificate like `spec` has to be issued anew at spec.now; empty: the one there is good.
std::string WhyRenew(absl::string_view certificate_pem, absl::string_view key_pem,
                     absl::string_view ca_pem, const CertificateSpec& spec);

struct KeptCertificate {
  CertificateInfo info;
  std::string why;  // It was issued just now; empty: it was there.
};

// A line that tells of it, if it was issued just now.
void LogIssued(const log::Logger& log, const std::string& file, const KeptCertificate& kept);

// Leaves a good certificate like `spec` in `certificate_file` (0644) and its key in `key_file`
// (0600). A key that can be used stays, so that replacing the certificate is one rename: whoever
// reads the two files, at any instant, finds a pair.
absl::StatusOr<KeptCertificate> KeepCertificate(const CertificateAuthority& ca,
                                                const std::string& certificate_file,
                                                const std::string& key_file,
                                                const CertificateSpec& spec);

// What a pass over all certificates of a service found.
struct RenewalReport {
  absl::Time next_time = absl::InfiniteFuture();   // When the first of them is due.
  std::map<std::string, absl::Time> expire_times;  // By the names that the metrics have.
  int renewed = 0;

  void Add(const std::string& name, const KeptCertificate& kept);
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_RENEWAL_H_
