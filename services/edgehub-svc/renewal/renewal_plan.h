// When a node asks for a new certificate.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_RENEWAL_PLAN_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_RENEWAL_PLAN_H_

#include "absl/time/time.h"
#include "services/lib/security/x509.h"

namespace skerry::edgehub {

// At two thirds of its life, and up to a twentieth of it later, as `fraction` (0 to 1) says: nodes
// that joined together do not come together.
absl::Time RenewalDue(const security::CertificateInfo& certificate, double fraction);

// What to wait after `failures` (1, 2, …) in a row: 10 s, doubled each time up to an hour, of which
// `fraction` (0 to 1) keeps between half and all. Certificates of short life are tried more often:
// the longest wait is at most a twentieth of it.
absl::Duration RetryDelay(const security::CertificateInfo& certificate, int failures,
                          double fraction);
// The longest wait of that kind: after a refusal, which only an operator can change, and after a
// success, lest a clock that is far off makes a node ask all the time.
absl::Duration LongestDelay(const security::CertificateInfo& certificate, double fraction);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_RENEWAL_PLAN_H_
