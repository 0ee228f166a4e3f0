#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/hub_client.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  Endpoint hub;
  std::string node;
};

absl::Status SetDisabled(const Options& options, bool disabled) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_RETURN_IF_ERROR(hub->SetNodeDisabled(options.node, disabled));
  std::cout << options.node << (disabled ? " disabled\n" : " enabled\n");
  return absl::OkStatus();
}

}  // namespace

void AddNode(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& group = commands.AddGroup("node", "lock nodes out, and let them in again", kInTheCloud);
  CLI::App& disable = commands.AddTo(
      group, "disable", "end a node's link and refuse it links, joins and certificates",
      [options] { return SetDisabled(*options, true); });
  CLI::App& enable = commands.AddTo(group, "enable", "let a disabled node in again",
                                    [options] { return SetDisabled(*options, false); });
  for (CLI::App* command : {&disable, &enable}) {
    command->add_option("node", options->node, "the node's name")->required();
    AddHub(commands, *command, options->hub);
  }
}

}  // namespace skerry::skerryctl
