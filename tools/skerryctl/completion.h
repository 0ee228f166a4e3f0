// skerryctl completion: what Bash completes.
#ifndef SKERRY_TOOLS_SKERRYCTL_COMPLETION_H_
#define SKERRY_TOOLS_SKERRYCTL_COMPLETION_H_

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace skerry::skerryctl {

// A Bash script that completes the subcommands and options of `app`, and files after options. Made
// from the commands themselves, so it does not fall behind.
std::string BashCompletion(const CLI::App& app);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_COMPLETION_H_
