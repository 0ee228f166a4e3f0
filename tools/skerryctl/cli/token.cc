#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/hub_client.h"
#include "tools/skerryctl/token_command.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  Endpoint hub;
  TokenCreateOptions create;
  std::string revoke;
  std::string output = "table";
};

absl::Status Create(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(cloudhub::v1::CreateJoinTokenRequest request,
                          MakeCreateRequest(options.create));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_ASSIGN_OR_RETURN(cloudhub::v1::CreateJoinTokenResponse response,
                          hub->CreateToken(request));
  std::cout << RenderCreated(response, ParseFormat(options.output));
  return absl::OkStatus();
}

absl::Status List(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_ASSIGN_OR_RETURN(std::vector<cloudhub::v1::JoinToken> tokens, hub->ListTokens());
  std::cout << RenderTokens(tokens, absl::Now(), ParseFormat(options.output));
  return absl::OkStatus();
}

absl::Status Revoke(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  const std::string name = TokenNameOf(options.revoke);
  SKERRY_RETURN_IF_ERROR(hub->RevokeToken(name));
  std::cout << name << " revoked\n";
  return absl::OkStatus();
}

}  // namespace

void AddToken(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& group =
      commands.AddGroup("token", "manage the tokens with which boxes join", kInTheCloud);
  CLI::App& create =
      commands.AddTo(group, "create", "create a token and print it (it is shown only once)",
                     [options] { return Create(*options); });
  create.add_option("--ttl", options->create.ttl, "how long it is valid: 30m, 24h, 7d")
      ->capture_default_str();
  create.add_option("--node", options->create.node, "only this node may use it");
  create.add_flag("--single-use", options->create.single_use, "it ends with its first use");
  create.add_flag("--nodes-known", options->create.nodes_known,
                  "say that every node has linked since the hub lost which ones have joined, so "
                  "that tokens without --node are good again");
  create.add_option("--description", options->create.description,
                    "for people, at most 200 characters");
  AddOutput(commands, create, options->output);
  CLI::App& list = commands.AddTo(group, "list", "list tokens, without their secrets",
                                  [options] { return List(*options); });
  AddOutput(commands, list, options->output);
  CLI::App& revoke = commands.AddTo(group, "revoke", "make a token useless at once",
                                    [options] { return Revoke(*options); });
  revoke.add_option("token", options->revoke, "its id, or the token itself")->required();
  for (CLI::App* command : {&create, &list, &revoke}) AddHub(commands, *command, options->hub);
}

}  // namespace skerry::skerryctl
