#include "tools/skerryctl/cli/shared.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {

void AddOutput(Commands& commands, CLI::App& command, std::string& output,
               const std::vector<std::string>& more) {
  std::vector<std::string> formats = {"table", "json", "yaml"};
  formats.insert(formats.end(), more.begin(), more.end());
  CLI::Option* option =
      command
          .add_option("-o,--output", output,
                      absl::StrCat("how to print: ", absl::StrJoin(formats, ", ")))
          ->check(CLI::IsMember(formats))
          ->capture_default_str();
  commands.Offer(option, {.words = formats});
}

void AddTls(Commands& commands, CLI::App& command, Endpoint& endpoint) {
  const Values files = {.path = Values::Path::kFile};
  commands.Offer(
      command.add_option("--ca", endpoint.tls.ca, "PEM file of the hub's CA")->envname("SKERRY_CA"),
      files);
  commands.Offer(
      command.add_option("--cert", endpoint.tls.cert, "PEM file of an operator's certificate")
          ->envname("SKERRY_CERT"),
      files);
  commands.Offer(
      command.add_option("--key", endpoint.tls.key, "PEM file of its key")->envname("SKERRY_KEY"),
      files);
  command.add_option(
      "--server-name", endpoint.server_name,
      "name to expect in the service's certificate; default: the host of its address");
}

void AddHub(Commands& commands, CLI::App& command, Endpoint& hub) {
  hub.address = "127.0.0.1:10005";
  command.add_option("--hub", hub.address, "host:port of the hub's API (its api.listen)")
      ->envname("SKERRY_HUB")
      ->capture_default_str();
  AddTls(commands, command, hub);
}

void AddController(Commands& commands, CLI::App& command, Endpoint& controller, bool tls) {
  controller.address = "127.0.0.1:10006";
  command
      .add_option("--controller", controller.address,
                  "host:port of device-controller-svc's API (its listen)")
      ->envname("SKERRY_DEVICE_CONTROLLER")
      ->capture_default_str();
  if (tls) AddTls(commands, command, controller);
}

void AddRouter(Commands& commands, CLI::App& command, Endpoint& router) {
  router.address = "127.0.0.1:10007";
  command.add_option("--router", router.address, "host:port of router-svc's API (its listen)")
      ->envname("SKERRY_ROUTER")
      ->capture_default_str();
  AddTls(commands, command, router);
}

void AddRunDir(Commands& commands, CLI::App& command, std::string& run_dir) {
  commands.Offer(command.add_option("--run-dir", run_dir, "folder of the services' Unix sockets")
                     ->capture_default_str(),
                 {.path = Values::Path::kFolder});
}

void AddFolder(Commands& commands, CLI::App& command, std::string& folder) {
  commands.Offer(
      command.add_option("--dir", folder, "folder of the node's certificate and configuration")
          ->capture_default_str(),
      {.path = Values::Path::kFolder});
}

CLI::Option* AddJoinToken(CLI::App& command, std::string& token) {
  // From a variable the token is not seen by everyone who lists processes.
  return command.add_option("--token", token, "what 'skerryctl token create' printed")
      ->envname("SKERRY_JOIN_TOKEN");
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

absl::Status NotHealthy() {
  return ToStatus(
      {.step = "check", .expected = "a healthy box", .seen = "see above", .reason = "NOT_HEALTHY"});
}

absl::StatusOr<absl::Duration> ParsePositive(absl::string_view flag, const std::string& text) {
  absl::Duration time;
  if (absl::ParseDuration(text, &time) && time > absl::ZeroDuration()) return time;
  return ToStatus({.exit_code = ExitCode::kUsage,
                   .step = "read the arguments",
                   .expected = absl::StrCat(flag, " as a time such as 90s or 10m"),
                   .seen = text});
}

}  // namespace skerry::skerryctl
