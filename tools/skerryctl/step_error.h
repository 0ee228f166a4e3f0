// How a command of skerryctl fails: which step, what was expected, what was seen, what mends it.
#ifndef SKERRY_TOOLS_SKERRYCTL_STEP_ERROR_H_
#define SKERRY_TOOLS_SKERRYCTL_STEP_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::skerryctl {

// Scripts rely on these; README.md lists them.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,       // Anything else.
  kUsage = 2,        // Wrong arguments or a malformed token.
  kUnreachable = 3,  // Resolve, connect, timeout.
  kUntrusted = 4,    // The hub is not the one the token names, or its certificate does not fit.
  kClock = 5,        // This machine's clock is wrong.
  kRefused = 6,      // The hub said no.
  kLocalFiles = 7,   // Reading or writing files here.
};

struct StepError {
  ExitCode exit_code = ExitCode::kFailed;
  std::string step;  // "compare the CA's hash".
  std::string expected;
  std::string seen;
  std::string fix;
  std::string reason;  // UPPER_SNAKE_CASE where there is one: the hub's, or ours.
};

// The error as a status that the functions here return, and back; any other status becomes a
// StepError too.
absl::Status ToStatus(const StepError& error);
StepError FromStatus(const absl::Status& status);

// As people read it, several lines.
std::string Describe(const StepError& error);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_STEP_ERROR_H_
