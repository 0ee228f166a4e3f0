#include "tools/skerryctl/command/help.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/command/nearest.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

absl::Status Explain(const CLI::App& root, const std::vector<std::string>& words) {
  const CLI::App* command = &root;
  for (const std::string& word : words) {
    const CLI::App* next = FindCommand(*command, word);
    if (next == nullptr) {
      const std::string near = Nearest(word, NamesOf(*command));
      return ToStatus(
          {.exit_code = ExitCode::kUsage,
           .step = "read the arguments",
           .expected = absl::StrCat("a command of '", PathOf(*command), "'"),
           .seen = word,
           .fix = near.empty() ? "skerryctl help" : absl::StrCat("did you mean '", near, "'?"),
           .reason = "COMMAND_UNKNOWN"});
    }
    command = next;
  }
  // Not command->help(): the root's is that of the command that runs, which is `help`.
  std::cout << command->get_formatter()->make_help(command, "", CLI::AppFormatMode::Normal);
  return absl::OkStatus();
}

}  // namespace

void AddHelp(Commands& commands) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App& command = commands.Add("help", "explain a command", kEverywhere,
                                   [&commands, words] { return Explain(commands.root(), *words); });
  commands.Offer(command.add_option("command", *words, "token create"),
                 {.ask = [&commands](const Given& given) {
                   const CLI::App* at = &commands.root();
                   for (const std::string& word : given.arguments) {
                     const CLI::App* next = FindCommand(*at, word);
                     if (next == nullptr) return std::vector<std::string>();
                     at = next;
                   }
                   return NamesOf(*at);
                 }});
}

}  // namespace skerry::skerryctl
