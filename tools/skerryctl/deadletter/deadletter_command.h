// skerryctl deadletter list|replay|drop.
#ifndef SKERRY_TOOLS_SKERRYCTL_DEADLETTER_DEADLETTER_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_DEADLETTER_DEADLETTER_COMMAND_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

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
  size_t left = 0;         // Neither.
  std::string unanswered;  // The one of them whose call had no answer: it may be done all the same.
};
struct LetterWork {
  std::string verb;  // "replayed" or "dropped".
  // One letter. A failure is a StepError.
  std::function<absl::Status(const std::string& name)> handle;
  // Asked before each letter; true ends the work.
  std::function<bool()> interrupted;
  // Hears of each letter as soon as something has become of it: "deadLetters/17 replayed\n".
  std::function<void(const std::string& line)> tell;
  bool tolerant = false;  // A letter that is not there any more is no failure.
};
// Works on one after the other until one fails, and notes in `handled` how far it came, whatever it
// ends with.
absl::Status HandleLetters(const std::vector<std::string>& names, const LetterWork& work,
                           Handled& handled);
// What ends it when it was interrupted. done: what had been done by then.
absl::Status Interrupted(absl::string_view done);
// The last line, of counts; that of one letter is empty, because its own says it.
std::string RenderHandled(const Handled& handled, const std::string& verb, Format format);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DEADLETTER_DEADLETTER_COMMAND_H_
