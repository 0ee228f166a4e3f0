#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/hub_client.h"
#include "tools/skerryctl/status_command.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  std::string run_dir = "/run/skerry";
  Endpoint hub;
  std::string output = "table";
  bool cloud = false;
  bool check = false;
};

absl::Status Status(const Options& options) {
  const Format format = ParseFormat(options.output);
  if (options.cloud) {
    SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
    SKERRY_ASSIGN_OR_RETURN(std::vector<cloudhub::v1::NodeSessionInfo> sessions,
                            hub->ListSessions());
    std::cout << RenderSessions(sessions, absl::Now(), format);
    return absl::OkStatus();
  }
  const BoxStatus status = AskBox(options.run_dir);
  std::cout << RenderBox(status, absl::Now(), format);
  return options.check && !IsHealthy(status) ? NotHealthy() : absl::OkStatus();
}

}  // namespace

void AddStatus(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& command = commands.Add(
      "status", "link, sync, journal and pods of this box; with --cloud, the hub's sessions",
      kOnABox, [options] { return Status(*options); });
  command.add_flag("--cloud", options->cloud, "ask the hub instead of this box");
  command.add_flag("--check", options->check, "exit 1 unless everything is healthy");
  AddRunDir(commands, command, options->run_dir);
  AddOutput(commands, command, options->output);
  AddHub(commands, command, options->hub);
}

}  // namespace skerry::skerryctl
