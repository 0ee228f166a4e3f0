// skerryctl deadletter list|replay|drop.
#ifndef SKERRY_TOOLS_SKERRYCTL_DEADLETTER_DEADLETTER_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_DEADLETTER_DEADLETTER_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/router/v1/router_service.pb.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

// "17", or "deadLetters/17", to the latter. Errors are StepErrors, here and below.
absl::StatusOr<std::string> LetterNameOf(absl::string_view text);
// "alarms" or "factory/alarms" to "namespaces/{namespace}/rules/{rule}"; nothing to nothing.
absl::StatusOr<std::string> RuleNameOf(absl::string_view name_space, absl::string_view rule);

struct LetterList {
  std::vector<router::v1::DeadLetter> letters;
  bool more = false;  // There are others behind.
};
std::string RenderLetters(const LetterList& list, absl::Time now, Format format);

// What became of letters.
struct Handled {
  std::vector<std::string> names;
  // Of all there were when the command began: gone before it was their turn.
  std::vector<std::string> gone;
};
// Calls `handle` for each until it fails, and notes whom it was done to. With `tolerant` a letter
// that is not there any more is no failure.
absl::Status HandleLetters(const std::vector<std::string>& names, bool tolerant,
                           absl::FunctionRef<absl::Status(const std::string&)> handle,
                           Handled& handled);
// verb: "replayed" or "dropped".
std::string RenderHandled(const Handled& handled, const std::string& verb, Format format);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DEADLETTER_DEADLETTER_COMMAND_H_
