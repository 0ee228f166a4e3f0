// skerryctl: the operator's command, on the box and beside the hub.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/https_client.h"
#include "tools/skerryctl/bundle/bundle_command.h"
#include "tools/skerryctl/completion.h"
#include "tools/skerryctl/device_command.h"
#include "tools/skerryctl/doctor/observe.h"
#include "tools/skerryctl/doctor/report.h"
#include "tools/skerryctl/drain_command.h"
#include "tools/skerryctl/hub_client.h"
#include "tools/skerryctl/join.h"
#include "tools/skerryctl/operator_channel.h"
#include "tools/skerryctl/printable.h"
#include "tools/skerryctl/status_command.h"
#include "tools/skerryctl/step_error.h"
#include "tools/skerryctl/token_command.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  JoinOptions join;
  Endpoint hub = {.address = "127.0.0.1:10005", .tls = {}, .server_name = ""};
  TokenCreateOptions create;
  DrainOptions drain;
  DeviceOptions device;
  BundleOptions bundle;
  std::string revoke;
  std::string node;
  std::string output = "table";
  bool all_good_required = false;
  bool ask_cloud = false;
};

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

absl::Status Join(Options& options) {
  if (options.join.node_name.empty()) options.join.node_name = HostName();
  http::CurlHttpsClient https;
  SystemClock clock;
  Joiner joiner(options.join, https, clock, [](absl::string_view step, absl::string_view result) {
    std::cout << "ok  " << step << ": " << Printable(result) << std::endl;
  });
  return joiner.Run();
}

absl::Status CreateToken(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(cloudhub::v1::CreateJoinTokenRequest request,
                          MakeCreateRequest(options.create));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_ASSIGN_OR_RETURN(cloudhub::v1::CreateJoinTokenResponse response,
                          hub->CreateToken(request));
  std::cout << RenderCreated(response, options.output == "json");
  return absl::OkStatus();
}

absl::Status ListTokens(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_ASSIGN_OR_RETURN(std::vector<cloudhub::v1::JoinToken> tokens, hub->ListTokens());
  std::cout << RenderTokens(tokens, absl::Now(), options.output == "json");
  return absl::OkStatus();
}

absl::Status RevokeToken(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  std::string name = TokenNameOf(options.revoke);
  SKERRY_RETURN_IF_ERROR(hub->RevokeToken(name));
  std::cout << name << " revoked\n";
  return absl::OkStatus();
}

absl::Status SetNodeDisabled(const Options& options, bool disabled) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_RETURN_IF_ERROR(hub->SetNodeDisabled(options.node, disabled));
  std::cout << options.node << (disabled ? " disabled\n" : " enabled\n");
  return absl::OkStatus();
}

absl::Status Drain(const Options& options) {
  absl::Duration timeout;
  if (!absl::ParseDuration(options.drain.timeout, &timeout) || timeout <= absl::ZeroDuration()) {
    return ToStatus({.exit_code = ExitCode::kUsage,
                     .step = "read the arguments",
                     .expected = "--timeout as a time such as 90s or 10m",
                     .seen = options.drain.timeout});
  }
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

absl::Status CallDevice(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(const devicecontroller::v1::MethodCall call, CallMethod(options.device));
  std::cout << RenderCall(call, options.output == "json");
  return absl::OkStatus();
}

absl::Status SwitchDevice(const Options& options, bool enabled) {
  SKERRY_ASSIGN_OR_RETURN(const devicecontroller::v1::Device device,
                          SetDeviceEnabled(options.device, enabled));
  std::cout << Printable(device.name()) << (device.enabled() ? " enabled\n" : " disabled\n");
  return absl::OkStatus();
}

absl::Status Status(const Options& options) {
  bool json = options.output == "json";
  if (options.ask_cloud) {
    SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
    SKERRY_ASSIGN_OR_RETURN(std::vector<cloudhub::v1::NodeSessionInfo> sessions,
                            hub->ListSessions());
    std::cout << RenderSessions(sessions, absl::Now(), json);
    return absl::OkStatus();
  }
  BoxStatus status = AskBox(options.join.layout.run_dir);
  std::cout << RenderBox(status, absl::Now(), json);
  if (!options.all_good_required || IsHealthy(status)) return absl::OkStatus();
  return ToStatus(
      {.step = "check", .expected = "a healthy box", .seen = "see above", .reason = "NOT_HEALTHY"});
}

absl::Status Diagnose(const Options& options) {
  SystemClock clock;
  const Observations seen = ObserveBox(options.join.layout.folder, clock);
  const std::vector<Finding> findings = FindingsOf(seen);
  std::cout << RenderFindings(seen, findings, options.output == "json") << std::flush;
  if (IsHealthy(findings)) return absl::OkStatus();
  return ToStatus(
      {.step = "check", .expected = "a healthy box", .seen = "see above", .reason = "NOT_HEALTHY"});
}

absl::Status WriteBundle(const Options& options) {
  SystemClock clock;
  SKERRY_ASSIGN_OR_RETURN(const Bundle bundle, MakeBundle(options.bundle, clock));
  for (absl::string_view line : absl::StrSplit(bundle.manifest, '\n', absl::SkipEmpty())) {
    std::cout << Printable(line) << "\n";
  }
  std::cout << Printable(bundle.path) << "\n";
  return absl::OkStatus();
}

void AddOutput(CLI::App& command, Options& options) {
  command.add_option("-o,--output", options.output, "how to print")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

void AddTls(CLI::App& command, Endpoint& endpoint) {
  command.add_option("--ca", endpoint.tls.ca, "PEM file of the hub's CA")->envname("SKERRY_CA");
  command.add_option("--cert", endpoint.tls.cert, "PEM file of an operator's certificate")
      ->envname("SKERRY_CERT");
  command.add_option("--key", endpoint.tls.key, "PEM file of its key")->envname("SKERRY_KEY");
  command.add_option(
      "--server-name", endpoint.server_name,
      "name to expect in the service's certificate; default: the host of its address");
}

void AddHub(CLI::App& command, Options& options) {
  command.add_option("--hub", options.hub.address, "host:port of the hub's API (its api.listen)")
      ->envname("SKERRY_HUB")
      ->capture_default_str();
  AddTls(command, options.hub);
}

struct DeviceCommands {
  CLI::App* call;
  CLI::App* enable;
  CLI::App* disable;
};

DeviceCommands AddDevice(CLI::App& app, Options& options) {
  DeviceOptions& device = options.device;
  CLI::App* group = app.add_subcommand("device", "call methods of devices, take devices out");
  group->require_subcommand(1);
  DeviceCommands commands = {
      group->add_subcommand("call", "call a method of a device and print what it answers"),
      group->add_subcommand("enable", "let a device take part again"),
      group->add_subcommand("disable", "take a device from its node, whatever manifests say")};
  for (CLI::App* command : {commands.call, commands.enable, commands.disable}) {
    command->add_option("device", device.device, "its name, or namespace/name")->required();
    command->add_option("-n,--namespace", device.name_space, "its namespace")
        ->capture_default_str();
    command
        ->add_option("--controller", device.controller.address,
                     "host:port of device-controller-svc's API (its listen)")
        ->envname("SKERRY_DEVICE_CONTROLLER")
        ->capture_default_str();
    AddTls(*command, device.controller);
  }
  commands.disable->add_option("--reason", device.reason, "why, for people")->required();
  commands.call->add_option("method", device.method, "of its driver")->required();
  commands.call->add_option("arguments", device.arguments, "name=value, any number of them");
  commands.call
      ->add_option("--delivery", device.delivery,
                   "where the node is away: now fails, wait waits, queue leaves it with the hub")
      ->capture_default_str();
  commands.call->add_option("--deadline", device.deadline, "how long the device may take: 30s, 5m")
      ->capture_default_str();
  commands.call->add_option(
      "--expire-in", device.expire_in,
      "how long it may wait for its start; default: 1m with wait, 1h with queue");
  commands.call->add_option("--call-id", device.call_id,
                            "the same id again is the same call; default: one is made up");
  AddOutput(*commands.call, options);
  return commands;
}

CLI::App* AddBundle(CLI::App& app, BundleOptions& bundle) {
  CLI::App* command = app.add_subcommand(
      "bundle", "pack what support needs to know of this box into one file, without secrets");
  command->add_option("--dir", bundle.folder, "folder of the node's certificate and configuration")
      ->capture_default_str();
  command->add_option("--run-dir", bundle.run_dir, "folder of the services' Unix sockets")
      ->capture_default_str();
  command->add_option("--out", bundle.out,
                      "file to write; default: skerry-bundle-<node>-<time>.tar.gz here");
  command->add_option("--logs", bundle.logs, "log files, whose last lines are packed");
  command->add_option("--log-lines", bundle.log_lines, "lines of each log")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--ops", bundle.ops,
                      "ops ports, whose metrics are packed: twin-svc=127.0.0.1:9103");
  command->add_option("--bytes-max", bundle.bytes_max, "most bytes to pack, before compression")
      ->check(CLI::Range(int64_t{64} << 10, int64_t{1} << 30))
      ->capture_default_str();
  return command;
}

CLI::App* AddJoin(CLI::App& app, Options& options) {
  JoinOptions& join = options.join;
  CLI::App* command = app.add_subcommand("join", "make this box a node of a hub");
  command->add_option("--cloud", join.cloud, "the hub's join port, https://host:10002")->required();
  // From a variable the token is not seen by everyone who lists processes.
  command->add_option("--token", join.token, "what 'skerryctl token create' printed")
      ->envname("SKERRY_JOIN_TOKEN")
      ->required();
  command->add_option("--node-name", join.node_name, "this node's name; default: the host's name");
  command
      ->add_option("--dir", join.layout.folder,
                   "folder of the node's certificate and configuration")
      ->capture_default_str();
  command->add_option("--run-dir", join.layout.run_dir, "folder of the services' Unix sockets")
      ->capture_default_str();
  command->add_option("--state-dir", join.layout.state_dir, "folder of the services' databases")
      ->capture_default_str();
  command
      ->add_option("--runtime-endpoint", join.layout.runtime_endpoint,
                   "the container runtime's CRI socket")
      ->capture_default_str();
  command
      ->add_option("--mqtt-broker", join.layout.mqtt_broker,
                   "the MQTT broker of this box's devices: tcp://host:port, or ssl://host:port")
      ->capture_default_str();
  command->add_option("--link-address", join.link_address,
                      "host:port of the hub's link port; default: as the hub says");
  command->add_flag(
      "--force", join.force,
      "join again, with a new key, although there is a good certificate; needs a token "
      "made for this node (token create --node)");
  return command;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Operate Skerry: join boxes, manage join tokens, look at links.", "skerryctl");
  app.set_version_flag("--version",
                       absl::StrCat("skerryctl ", BuildVersion(), " (", BuildCommit(), ")"));
  app.require_subcommand(1);
  CLI::App* join = AddJoin(app, options);

  CLI::App* token = app.add_subcommand("token", "manage the tokens with which boxes join");
  token->require_subcommand(1);
  CLI::App* create =
      token->add_subcommand("create", "create a token and print it (it is shown only once)");
  create->add_option("--ttl", options.create.ttl, "how long it is valid: 30m, 24h, 7d")
      ->capture_default_str();
  create->add_option("--node", options.create.node, "only this node may use it");
  create->add_flag("--single-use", options.create.single_use, "it ends with its first use");
  create->add_flag("--nodes-known", options.create.nodes_known,
                   "say that every node has linked since the hub lost which ones have joined, so "
                   "that tokens without --node are good again");
  create->add_option("--description", options.create.description,
                     "for people, at most 200 characters");
  CLI::App* list = token->add_subcommand("list", "list tokens, without their secrets");
  CLI::App* revoke = token->add_subcommand("revoke", "make a token useless at once");
  revoke->add_option("token", options.revoke, "its id, or the token itself")->required();

  CLI::App* node = app.add_subcommand("node", "lock nodes out, and let them in again");
  node->require_subcommand(1);
  CLI::App* disable = node->add_subcommand(
      "disable", "end a node's link and refuse it links, joins and certificates");
  CLI::App* enable = node->add_subcommand("enable", "undo that");
  for (CLI::App* command : {disable, enable})
    command->add_option("node", options.node, "the node's name")->required();

  const DeviceCommands device = AddDevice(app, options);
  CLI::App* drain = app.add_subcommand(
      "drain", "move all nodes of one cloudhub-svc replica to the others, and wait for that");
  drain->add_option("--rate", options.drain.nodes_per_second, "nodes to move each second")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  drain->add_option("--timeout", options.drain.timeout, "how long to wait: 90s, 10m")
      ->capture_default_str();
  drain->add_flag("--undo", options.drain.undo, "let the replica take nodes again");

  CLI::App* status = app.add_subcommand(
      "status", "link, sync and journal of this box; with --cloud, the hub's sessions");
  status->add_flag("--cloud", options.ask_cloud, "ask the hub instead of this box");
  status->add_flag("--check", options.all_good_required, "exit 1 unless everything is healthy");
  status
      ->add_option("--run-dir", options.join.layout.run_dir, "folder of the services' Unix sockets")
      ->capture_default_str();
  CLI::App* doctor = app.add_subcommand(
      "doctor", "look for what is wrong with this box: each finding has a code, a cause and a fix");
  doctor
      ->add_option("--dir", options.join.layout.folder,
                   "folder of the node's certificate and configuration")
      ->capture_default_str();
  CLI::App* bundle = AddBundle(app, options.bundle);
  CLI::App* completion =
      app.add_subcommand("completion", "print a script for a shell's completion");
  completion->require_subcommand(1);
  completion->add_subcommand("bash", "source <(skerryctl completion bash)");
  for (CLI::App* command : {create, list, revoke, disable, enable, drain, status})
    AddHub(*command, options);
  for (CLI::App* command : {create, list, status, doctor}) AddOutput(*command, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  if (completion->parsed()) {
    std::cout << BashCompletion(app);
    return 0;
  }
  absl::Status result = join->parsed()             ? Join(options)
                        : create->parsed()         ? CreateToken(options)
                        : list->parsed()           ? ListTokens(options)
                        : revoke->parsed()         ? RevokeToken(options)
                        : node->parsed()           ? SetNodeDisabled(options, disable->parsed())
                        : doctor->parsed()         ? Diagnose(options)
                        : bundle->parsed()         ? WriteBundle(options)
                        : drain->parsed()          ? Drain(options)
                        : device.call->parsed()    ? CallDevice(options)
                        : device.enable->parsed()  ? SwitchDevice(options, true)
                        : device.disable->parsed() ? SwitchDevice(options, false)
                                                   : Status(options);
  if (result.ok()) return 0;
  StepError error = FromStatus(result);
  std::cerr << Describe(error);
  return static_cast<int>(error.exit_code);
}

}  // namespace
}  // namespace skerry::skerryctl

int main(int argc, char** argv) { return skerry::skerryctl::Main(argc, argv); }
