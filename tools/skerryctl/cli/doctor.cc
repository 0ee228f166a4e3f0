#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "services/lib/base/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/cloud_address.h"
#include "tools/skerryctl/doctor/observe.h"
#include "tools/skerryctl/doctor/report.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  std::string folder = "/etc/skerry";
  TokenOptions token;
  std::string output = "table";
};

absl::Status Diagnose(Options options) {
  if (!options.token.cloud.empty()) {
    SKERRY_RETURN_IF_ERROR(ParseCloudAddress(options.token.cloud).status());
  }
  if (options.token.node_name.empty()) options.token.node_name = HostName();
  SystemClock clock;
  const Observations seen = ObserveBox(options.folder, clock, options.token);
  const std::vector<Finding> findings = FindingsOf(seen);
  std::cout << RenderFindings(seen, findings, ParseFormat(options.output));
  return IsHealthy(findings) ? absl::OkStatus() : NotHealthy();
}

}  // namespace

void AddDoctor(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& command = commands.Add(
      "doctor", "look for what is wrong with this box: each finding has a code, a cause and a fix",
      kOnABox, [options] { return Diagnose(*options); });
  AddFolder(commands, command, options->folder);
  // Of a box that has yet to join: would it succeed?
  CLI::Option* token = AddJoinToken(command, options->token.token);
  command.add_option("--cloud", options->token.cloud, "the hub's join port, as join would take it")
      ->needs(token);
  command.add_option("--node-name", options->token.node_name,
                     "the name to join with; default: the host's name");
  command
      .add_option("--hub", options->token.hub.address,
                  "host:port of the hub's API, to ask it about the token as an operator; "
                  "default: the join port is asked")
      ->envname("SKERRY_HUB");
  AddTls(commands, command, options->token.hub);
  AddOutput(commands, command, options->output);
}

}  // namespace skerry::skerryctl
