#include "tools/skerryctl/top/look.h"

#include <map>
#include <vector>

#include "absl/strings/numbers.h"
#include "tools/skerryctl/top/link_rtt.h"
#include "tools/skerryctl/top/processes.h"

namespace skerry::skerryctl {
namespace {

std::optional<absl::Duration> LinkRtt(const std::string& run_dir, const std::string& address) {
  uint32_t port = 0;
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      port > 65535)
    return std::nullopt;
  const auto pid = ServerOf(run_dir + "/edgehub.sock");
  if (!pid.has_value()) return std::nullopt;
  return ConnectionRtt(*pid, static_cast<uint16_t>(port));
}

}  // namespace

BoxSnapshot LookAtBox(BoxClient& box, const std::string& run_dir, Clock& clock) {
  BoxSnapshot out;
  out.hub = box.GetHubStatus();
  out.meta = box.GetMetaStatus();
  out.pods = box.ListPods();
  if (const auto twins = box.ListTwins(""); twins.ok()) {
    std::map<std::string, int> states;
    for (const twin::v1::Twin& twin : *twins) ++states[twin.state().state()];
    out.devices = std::move(states);
  } else {
    out.devices = twins.status();
  }
  if (out.hub.ok()) out.rtt = LinkRtt(run_dir, out.hub->cloud_address());
  out.processes = BoxProcesses(run_dir);
  out.time = clock.Now();
  out.monotonic = clock.Monotonic();
  return out;
}

}  // namespace skerry::skerryctl
