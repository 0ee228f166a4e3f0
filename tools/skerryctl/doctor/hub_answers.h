// What a hub's join port says to whoever asks. Nothing of it is trusted by itself.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_HUB_ANSWERS_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_HUB_ANSWERS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::skerryctl {

// In an answer to GET /v1/time, heading and all; nullopt if there is none.
std::optional<absl::Time> TimeIn(const std::string& answer);

// In an answer to GET /v1/ca.pem: the first certificate alone, in PEM form. NOT_FOUND without one.
absl::StatusOr<std::string> CaIn(const std::string& answer);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_HUB_ANSWERS_H_
