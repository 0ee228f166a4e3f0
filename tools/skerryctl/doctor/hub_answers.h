// What a hub's join port says to whoever asks. Nothing of it is trusted by itself.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_HUB_ANSWERS_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_HUB_ANSWERS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/skerryctl/doctor/core/observations.h"

namespace skerry::skerryctl {

// In an answer to GET /v1/time, heading and all; nullopt if there is none.
std::optional<absl::Time> TimeIn(const std::string& answer);

// In an answer to GET /v1/ca.pem: the first certificate alone, in PEM form. NOT_FOUND without one.
absl::StatusOr<std::string> CaIn(const std::string& answer);

// The body of an answer to POST /v1/token with that status of HTTP. A hub that says no:
// PERMISSION_DENIED with its reason (TOKEN_…, RATE_LIMITED; NOT_FOUND: it is too old for the
// question) and message. UNAVAILABLE / HUB_ANSWER_INVALID for what no hub says.
absl::StatusOr<TokenRecord> TokenIn(int status, const std::string& body);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_HUB_ANSWERS_H_
