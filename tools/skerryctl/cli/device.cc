#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/device_command.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  DeviceOptions device;
  std::string output = "table";
};

absl::Status Call(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(const devicecontroller::v1::MethodCall call, CallMethod(options.device));
  std::cout << RenderCall(call, ParseFormat(options.output));
  return absl::OkStatus();
}

absl::Status Switch(const Options& options, bool enabled) {
  SKERRY_ASSIGN_OR_RETURN(const devicecontroller::v1::Device device,
                          SetDeviceEnabled(options.device, enabled));
  std::cout << RenderSwitched(device, ParseFormat(options.output));
  return absl::OkStatus();
}

}  // namespace

void AddDevice(Commands& commands) {
  auto options = std::make_shared<Options>();
  DeviceOptions& device = options->device;
  CLI::App& group =
      commands.AddGroup("device", "call methods of devices, take devices out", kInTheCloud);
  CLI::App& call =
      commands.AddTo(group, "call", "call a method of a device and print what it answers",
                     [options] { return Call(*options); });
  CLI::App& enable = commands.AddTo(group, "enable", "let a device take part again",
                                    [options] { return Switch(*options, true); });
  CLI::App& disable =
      commands.AddTo(group, "disable", "take a device from its node, whatever manifests say",
                     [options] { return Switch(*options, false); });
  for (CLI::App* command : {&call, &enable, &disable}) {
    command->add_option("device", device.device, "its name, or namespace/name")->required();
    command->add_option("-n,--namespace", device.name_space, "its namespace")
        ->capture_default_str();
    AddController(commands, *command, device.controller);
    AddOutput(commands, *command, options->output);
  }
  disable.add_option("--reason", device.reason, "why, for people")->required();
  call.add_option("method", device.method, "of its driver")->required();
  call.add_option("arguments", device.arguments, "name=value, any number of them");
  commands.Offer(
      call.add_option("--delivery", device.delivery,
                      "where the node is away: now fails, wait waits, queue leaves it with the hub")
          ->capture_default_str(),
      {.words = {"now", "wait", "queue"}});
  call.add_option("--deadline", device.deadline, "how long the device may take: 30s, 5m")
      ->capture_default_str();
  call.add_option("--expire-in", device.expire_in,
                  "how long it may wait for its start; default: 1m with wait, 1h with queue");
  call.add_option("--call-id", device.call_id,
                  "the same id again is the same call; default: one is made up");
}

}  // namespace skerry::skerryctl
