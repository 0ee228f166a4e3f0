// skerryctl completion: what a shell offers while a line is typed.
#ifndef SKERRY_TOOLS_SKERRYCTL_COMMAND_COMPLETION_H_
#define SKERRY_TOOLS_SKERRYCTL_COMMAND_COMPLETION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/skerryctl/command/commands.h"

namespace skerry::skerryctl {

struct Candidate {
  std::string word;
  std::string about;  // May be empty.

  bool operator==(const Candidate&) const = default;
};

struct Completion {
  std::vector<Candidate> candidates;        // They begin with the word that is being typed.
  Values::Path path = Values::Path::kNone;  // Names of files or folders are good, too.
};

// `words`: those after "skerryctl"; the last one is being typed and may be empty. What comes from
// services is left out where it has characters that shells or terminals would obey.
Completion Complete(const Commands& commands, const std::vector<std::string>& words);

// The first word of the command line by which the scripts below ask for Complete.
inline constexpr char kCompleteWord[] = "__complete";
// As the scripts read it: "file", "folder" or "none", then a line "word<TAB>about" each.
std::string CompletionLines(const Completion& completion);

// For "bash", "zsh" or "fish".
std::string CompletionScript(absl::string_view shell);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_COMMAND_COMPLETION_H_
