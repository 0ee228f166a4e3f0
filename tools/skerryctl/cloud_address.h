// Where a hub's join port is.
#ifndef SKERRY_TOOLS_SKERRYCTL_CLOUD_ADDRESS_H_
#define SKERRY_TOOLS_SKERRYCTL_CLOUD_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::skerryctl {

struct CloudAddress {
  std::string host;  // Without brackets.
  std::string port;
  std::string url;  // "https://host:port".
};

// "https://host:10002"; the scheme and the port may be left out. Errors are StepErrors.
absl::StatusOr<CloudAddress> ParseCloudAddress(absl::string_view text);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_CLOUD_ADDRESS_H_
