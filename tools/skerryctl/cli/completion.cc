#include "tools/skerryctl/command/completion.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"

namespace skerry::skerryctl {

void AddCompletion(Commands& commands) {
  const std::vector<std::string> shells = {"bash", "zsh", "fish"};
  auto shell = std::make_shared<std::string>();
  CLI::App& command = commands.Add(
      "completion", "print a script by which a shell completes skerryctl", kEverywhere, [shell] {
        std::cout << CompletionScript(*shell);
        return absl::OkStatus();
      });
  commands.Offer(command.add_option("shell", *shell, "bash, zsh or fish")
                     ->required()
                     ->check(CLI::IsMember(shells)),
                 {.words = shells});
  command.footer(
      "For this session:\n"
      "  source <(skerryctl completion bash)\n"
      "  source <(skerryctl completion zsh)\n"
      "  skerryctl completion fish | source\n"
      "For all:\n"
      "  skerryctl completion bash > /etc/bash_completion.d/skerryctl\n"
      "  skerryctl completion zsh > /usr/local/share/zsh/site-functions/_skerryctl\n"
      "  skerryctl completion fish > /etc/fish/completions/skerryctl.fish");
}

}  // namespace skerry::skerryctl
