// Flags that several commands have.
#ifndef SKERRY_TOOLS_SKERRYCTL_CLI_SHARED_H_
#define SKERRY_TOOLS_SKERRYCTL_CLI_SHARED_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/skerryctl/command/commands.h"
#include "tools/skerryctl/operator_channel.h"

namespace skerry::skerryctl {

// Headings of help.
inline constexpr char kOnABox[] = "On a box";
inline constexpr char kInTheCloud[] = "In the cloud";
inline constexpr char kEverywhere[] = "Everywhere";

// -o, --output: table, json, yaml and `more`.
void AddOutput(Commands& commands, CLI::App& command, std::string& output,
               const std::vector<std::string>& more = {});
// --ca, --cert, --key, --server-name.
void AddTls(Commands& commands, CLI::App& command, Endpoint& endpoint);
// --hub and the above.
void AddHub(Commands& commands, CLI::App& command, Endpoint& hub);
// --controller and the above unless `tls` is false, where AddHub is there, too.
void AddController(Commands& commands, CLI::App& command, Endpoint& controller, bool tls = true);
// --router and --ca, --cert, --key, --server-name.
void AddRouter(Commands& commands, CLI::App& command, Endpoint& router);
// --run-dir.
void AddRunDir(Commands& commands, CLI::App& command, std::string& run_dir);
// --dir.
void AddFolder(Commands& commands, CLI::App& command, std::string& folder);

// --token, or SKERRY_JOIN_TOKEN.
CLI::Option* AddJoinToken(CLI::App& command, std::string& token);

// This machine's; empty if it can't be told.
std::string HostName();

// What `check` and `doctor` end with where there is something to mend.
absl::Status NotHealthy();

// INVALID_ARGUMENT names the flag.
absl::StatusOr<absl::Duration> ParsePositive(absl::string_view flag, const std::string& text);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_CLI_SHARED_H_
