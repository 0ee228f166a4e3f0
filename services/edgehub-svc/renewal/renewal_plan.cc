#include "services/edgehub-svc/renewal/renewal_plan.h"

#include <algorithm>

#include "services/lib/security/renewal.h"

namespace skerry::edgehub {
namespace {

constexpr absl::Duration kFirstWait = absl::Seconds(10);
constexpr int kDoublingsMax = 10;  // Beyond an hour in any case.

absl::Duration LifeOf(const security::CertificateInfo& certificate) {
  return certificate.not_after - certificate.not_before;
}

absl::Duration LongestWait(const security::CertificateInfo& certificate) {
  return std::clamp(LifeOf(certificate) / 20, absl::Seconds(1), absl::Hours(1));
}

absl::Duration Jittered(absl::Duration wait, double fraction) { return wait * (1 + fraction) / 2; }

}  // namespace

absl::Time RenewalDue(const security::CertificateInfo& certificate, double fraction) {
  return security::RenewalTime(certificate) + LifeOf(certificate) / 20 * fraction;
}

absl::Duration RetryDelay(const security::CertificateInfo& certificate, int failures,
                          double fraction) {
  const int doublings = std::clamp(failures - 1, 0, kDoublingsMax);
  return Jittered(std::min(kFirstWait * (1 << doublings), LongestWait(certificate)), fraction);
}

absl::Duration LongestDelay(const security::CertificateInfo& certificate, double fraction) {
  return Jittered(LongestWait(certificate), fraction);
}

}  // namespace skerry::edgehub
