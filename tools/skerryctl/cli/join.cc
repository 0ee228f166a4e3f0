#include "tools/skerryctl/join.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "services/lib/base/clock.h"
#include "services/lib/http/https_client.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/printable.h"

namespace skerry::skerryctl {
namespace {

absl::Status Join(JoinOptions options) {
  if (options.node_name.empty()) options.node_name = HostName();
  http::BeastHttpsClient https;
  SystemClock clock;
  Joiner joiner(options, https, clock, [](absl::string_view step, absl::string_view result) {
    std::cout << "ok  " << step << ": " << Printable(result) << std::endl;
  });
  return joiner.Run();
}

}  // namespace

void AddJoin(Commands& commands) {
  auto join = std::make_shared<JoinOptions>();
  CLI::App& command = commands.Add("join", "make this box a node of a hub", kOnABox,
                                   [join] { return Join(*join); });
  command.add_option("--cloud", join->cloud, "the hub's join port, https://host:10002")->required();
  AddJoinToken(command, join->token)->required();
  command.add_option("--node-name", join->node_name, "this node's name; default: the host's name");
  AddFolder(commands, command, join->layout.folder);
  AddRunDir(commands, command, join->layout.run_dir);
  commands.Offer(
      command
          .add_option("--state-dir", join->layout.state_dir, "folder of the services' databases")
          ->capture_default_str(),
      {.path = Values::Path::kFolder});
  command
      .add_option("--runtime-endpoint", join->layout.runtime_endpoint,
                  "the container runtime's CRI socket")
      ->capture_default_str();
  command
      .add_option("--mqtt-broker", join->layout.mqtt_broker,
                  "the MQTT broker of this box's devices: tcp://host:port, or ssl://host:port")
      ->capture_default_str();
  command.add_option("--link-address", join->link_address,
                     "host:port of the hub's link port; default: as the hub says");
  command.add_flag(
      "--force", join->force,
      "join again, with a new key, although there is a good certificate; needs a token "
      "made for this node (token create --node)");
}

}  // namespace skerry::skerryctl
