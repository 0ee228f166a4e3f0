#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/drain_command.h"
#include "tools/skerryctl/hub_client.h"
#include "tools/skerryctl/printable.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  Endpoint hub;
  DrainOptions drain;
};

absl::Status Drain(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(const absl::Duration timeout,
                          ParsePositive("--timeout", options.drain.timeout));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  if (options.drain.undo) {
    SKERRY_RETURN_IF_ERROR(hub->UndrainHub());
    std::cout << "the hub takes nodes again\n";
    return absl::OkStatus();
  }
  SKERRY_RETURN_IF_ERROR(hub->DrainHub(options.drain.nodes_per_second));
  SystemClock clock;
  SKERRY_RETURN_IF_ERROR(AwaitDrained(
      {.get_hub = [&] { return hub->GetHub(); },
       .tell = [](absl::string_view line) { std::cout << Printable(line) << std::endl; },
       .pause = [] { absl::SleepFor(absl::Seconds(1)); },
       .now = [&] { return clock.Monotonic(); }},
      timeout));
  std::cout << "drained: no node is left\n";
  return absl::OkStatus();
}

}  // namespace

void AddDrain(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& command = commands.Add(
      "drain", "move all nodes of one cloudhub-svc replica to the others, and wait for that",
      kInTheCloud, [options] { return Drain(*options); });
  command.add_option("--rate", options->drain.nodes_per_second, "nodes to move each second")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("--timeout", options->drain.timeout, "how long to wait: 90s, 10m")
      ->capture_default_str();
  command.add_flag("--undo", options->drain.undo, "let the replica take nodes again");
  AddHub(commands, command, options->hub);
}

}  // namespace skerry::skerryctl
