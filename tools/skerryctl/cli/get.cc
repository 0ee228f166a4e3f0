#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/get/get_command.h"
#include "tools/skerryctl/get/kinds.h"
#include "tools/skerryctl/printable.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  GetOptions get;
  std::string output = "table";
  bool cloud = false;
};

absl::Status Get(const Options& options) {
  GetOptions get = options.get;
  get.format = ParseFormat(options.output);
  get.controller.tls = get.hub.tls;
  get.controller.server_name = get.hub.server_name;
  SKERRY_ASSIGN_OR_RETURN(const Got got, options.cloud ? GetFromCloud(get) : GetFromBox(get));
  std::cout << got.text << std::flush;
  for (const std::string& note : got.notes) std::cerr << Printable(note) << "\n";
  return absl::OkStatus();
}

std::string FlagOr(const Given& given, const std::string& name, const std::string& fallback) {
  const auto flag = given.flags.find(name);
  return flag == given.flags.end() ? fallback : flag->second;
}

std::vector<std::string> Kinds(const Given& given) {
  return given.flags.count("cloud") != 0 ? CloudTypes()
                                         : KindsOnBox(FlagOr(given, "run-dir", "/run/skerry"));
}

std::vector<std::string> Names(const Given& given) {
  if (given.arguments.empty() || given.flags.count("cloud") != 0) return {};
  GetOptions get;
  get.kind = given.arguments[0];
  get.name_space = FlagOr(given, "namespace", get.name_space);
  get.run_dir = FlagOr(given, "run-dir", get.run_dir);
  return NamesOnBox(get);
}

}  // namespace

void AddGet(Commands& commands) {
  auto options = std::make_shared<Options>();
  GetOptions& get = options->get;
  CLI::App& command = commands.Add(
      "get",
      "print what this box has, with and without the cloud: pods, devices, twins, configmaps, "
      "names of secrets; with --cloud, what the hub and device-controller-svc have",
      kOnABox, [options] { return Get(*options); });
  commands.Offer(command
                     .add_option("kind", get.kind,
                                 "pods, nodes, configmaps, secrets, devices, devicemodels, "
                                 "twins and what else the box keeps; with --cloud: sessions, "
                                 "devices, twins")
                     ->required(),
                 {.ask = Kinds});
  commands.Offer(command.add_option("name", get.name, "only this one"), {.ask = Names});
  command.add_option("-n,--namespace", get.name_space, "their namespace")->capture_default_str();
  command.add_flag("-A,--all-namespaces", get.all_namespaces, "of all namespaces");
  command.add_flag("--cloud", options->cloud, "ask the cloud instead of this box");
  command.add_option("--node", get.node, "with --cloud: only what this node has");
  AddRunDir(commands, command, get.run_dir);
  AddOutput(commands, command, options->output, {"wide", "name"});
  AddHub(commands, command, get.hub);
  AddController(commands, command, get.controller, false);
}

}  // namespace skerry::skerryctl
