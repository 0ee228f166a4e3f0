// What the cloud's services answer.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"
#include "tools/skerryctl/controller_client.h"
#include "tools/skerryctl/get/get_command.h"
#include "tools/skerryctl/get/kinds.h"
#include "tools/skerryctl/hub_client.h"
#include "tools/skerryctl/printable.h"
#include "tools/skerryctl/status_command.h"
#include "tools/skerryctl/step_error.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

namespace v1 = devicecontroller::v1;

using nlohmann::json;

// "default", "pump-1" of "namespaces/default/devices/pump-1".
std::pair<std::string, std::string> PartsOf(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() < 4) return {"", name};
  return {parts[1], parts[3]};
}

std::string AgeOf(const google::protobuf::Timestamp& time, absl::Time now) {
  const auto parsed = rpc::FromProto(time);
  return parsed.ok() ? Age(now - *parsed) : "";
}

absl::StatusOr<Got> GetSessions(const GetOptions& options) {
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<HubClient> hub, HubClient::Connect(options.hub));
  SKERRY_ASSIGN_OR_RETURN(std::vector<cloudhub::v1::NodeSessionInfo> sessions, hub->ListSessions());
  const std::string& name = options.name.empty() ? options.node : options.name;
  if (!name.empty()) {
    sessions.erase(std::remove_if(sessions.begin(), sessions.end(),
                                  [&](const auto& session) { return session.node() != name; }),
                   sessions.end());
  }
  if (options.format != Format::kName) {
    return Got{RenderSessions(sessions, absl::Now(), options.format), {}};
  }
  Got got;
  for (const auto& session : sessions)
    absl::StrAppend(&got.text, "session/", Printable(session.node()), "\n");
  return got;
}

absl::StatusOr<std::vector<v1::Device>> Devices(ControllerClient& controller,
                                                const GetOptions& options) {
  if (options.name.empty()) {
    return controller.ListDevices(options.all_namespaces ? "" : options.name_space, options.node);
  }
  SKERRY_ASSIGN_OR_RETURN(v1::Device device,
                          controller.GetDevice(absl::StrCat("namespaces/", options.name_space,
                                                            "/devices/", options.name)));
  return std::vector<v1::Device>{std::move(device)};
}

std::string DevicesTable(const std::vector<v1::Device>& devices, bool namespaces, bool wide,
                         absl::Time now) {
  std::vector<std::string> heading = {"NAME", "NODE", "MODEL", "PROTOCOL", "ENABLED", "AGE"};
  if (namespaces) heading.insert(heading.begin(), "NAMESPACE");
  if (wide) heading.insert(heading.end(), {"WHY-DISABLED", "CHANGED", "ETAG"});
  Table table(heading);
  for (const v1::Device& device : devices) {
    const auto [name_space, name] = PartsOf(device.name());
    std::vector<std::string> row = {name,
                                    device.node(),
                                    device.model(),
                                    device.protocol(),
                                    device.enabled() ? "yes" : "no",
                                    AgeOf(device.create_time(), now)};
    if (namespaces) row.insert(row.begin(), name_space);
    if (wide) {
      row.insert(row.end(),
                 {device.disable_reason(), AgeOf(device.update_time(), now), device.etag()});
    }
    table.Add(std::move(row));
  }
  return table.Render();
}

std::string TwinsTable(const std::vector<v1::DeviceTwin>& twins, bool wide, absl::Time now) {
  std::vector<std::string> heading = {"DEVICE",   "PROPERTY", "DESIRED",
                                      "REPORTED", "DELTA",    "REPORTED-AGE"};
  if (wide) heading.insert(heading.end(), {"DESIRED-BY", "REPORTED-BY"});
  Table table(heading);
  for (const v1::DeviceTwin& twin : twins) {
    const auto [name_space, name] = PartsOf(twin.name());
    std::vector<std::string> names;
    for (const auto& [property, value] : twin.properties()) names.push_back(property);
    std::sort(names.begin(), names.end());
    for (const std::string& property : names) {
      const v1::TwinProperty& value = twin.properties().at(property);
      std::vector<std::string> row = {
          absl::StrCat(name_space, "/", name),
          property,
          value.desired().value(),
          value.reported().value(),
          value.delta() ? "yes" : "no",
          value.has_reported() ? AgeOf(value.reported().arrive_time(), now) : ""};
      if (wide) row.insert(row.end(), {value.desired().writer(), value.reported().writer()});
      table.Add(std::move(row));
    }
    if (names.empty()) table.Add({absl::StrCat(name_space, "/", name)});
  }
  return table.Render();
}

absl::StatusOr<Got> GetDevices(const GetOptions& options, bool properties) {
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<ControllerClient> controller,
                          ControllerClient::Connect(options.controller));
  SKERRY_ASSIGN_OR_RETURN(const std::vector<v1::Device> devices, Devices(*controller, options));
  Got got;
  std::vector<v1::DeviceTwin> twins;
  json list = json::array();
  const bool whole = options.format == Format::kJson || options.format == Format::kYaml;
  for (const v1::Device& device : devices) {
    json entry = JsonOf(device);
    if (whole || properties) {
      absl::StatusOr<v1::DeviceTwin> twin = controller->GetTwin(device.name());
      // It may have gone since, and a large one is no reason to show none.
      if (!twin.ok() &&
          (!options.name.empty() || FromStatus(twin.status()).exit_code == ExitCode::kUnreachable))
        return twin.status();
      if (twin.ok()) {
        entry["twin"] = JsonOf(*twin);
        twins.push_back(*std::move(twin));
      } else {
        got.notes.push_back(
            absl::StrCat("no twin of ", device.name(), ": ", FromStatus(twin.status()).seen));
      }
    }
    list.push_back(std::move(entry));
  }
  if (devices.empty() && !whole) {
    got.notes.push_back(options.all_namespaces
                            ? "No devices found."
                            : absl::StrCat("No devices in namespace ", options.name_space, "."));
    return got;
  }
  const bool wide = options.format == Format::kWide;
  const json value =
      !options.name.empty() && list.size() == 1 ? list[0] : json{{"devices", std::move(list)}};
  got.text = Render(options.format, value, [&] {
    if (options.format == Format::kName) {
      std::string names;
      for (const v1::Device& device : devices)
        absl::StrAppend(&names, "device/", Printable(PartsOf(device.name()).second), "\n");
      return names;
    }
    return properties ? TwinsTable(twins, wide, absl::Now())
                      : DevicesTable(devices, options.all_namespaces, wide, absl::Now());
  });
  return got;
}

}  // namespace

absl::StatusOr<Got> GetFromCloud(const GetOptions& options) {
  // Kubernetes has the nodes; the hub knows their sessions.
  const bool nodes = options.kind == "nodes" || options.kind == "node" || options.kind == "no";
  SKERRY_ASSIGN_OR_RETURN(const std::string type,
                          TypeOf(nodes ? "sessions" : options.kind, CloudTypes()));
  if (type == "sessions") return GetSessions(options);
  return GetDevices(options, type == "twins");
}

}  // namespace skerry::skerryctl
