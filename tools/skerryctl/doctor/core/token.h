// What is wrong with a join token, from what was seen of it.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_TOKEN_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_TOKEN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/skerryctl/doctor/core/observations.h"

namespace skerry::skerryctl {

// A token with less left than this, or than a quarter of its life, ends soon.
inline constexpr absl::Duration kTokenSoon = absl::Hours(1);

struct TokenFault {
  absl::string_view code;  // Of Diagnoses().
  std::string seen;        // Never the secret.
};

// In the order of the checks; what follows from another fault is left out. `now`: of the hub's
// clock where that is known.
std::vector<TokenFault> FaultsOf(const GivenToken& token, absl::Time now);

// Its join port does not answer such questions yet.
bool IsOlderHub(const GivenToken& token);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_TOKEN_H_
