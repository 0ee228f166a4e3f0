// Help as it is printed: within 100 columns, commands under headings.
#ifndef SKERRY_TOOLS_SKERRYCTL_COMMAND_HELP_H_
#define SKERRY_TOOLS_SKERRYCTL_COMMAND_HELP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace CLI {
class App;
}  // namespace CLI

namespace skerry::skerryctl {

inline constexpr size_t kHelpColumns = 100;

// `root` and the commands that are added to it afterwards explain themselves by this.
void UseHelp(CLI::App& root);

// `text` in lines of at most kHelpColumns, all but the first one indented by `indent`; the first
// one has `used` columns already.
std::string Wrapped(absl::string_view text, size_t indent, size_t used);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_COMMAND_HELP_H_
