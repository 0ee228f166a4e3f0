#include "tools/skerryctl/get/objects.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/kubeapi/human.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/printers.h"
#include "services/lib/rpc/proto_time.h"
#include "tools/skerryctl/get/kinds.h"
#include "tools/skerryctl/printable.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

using kubeapi::StringAt;
using nlohmann::json;

std::string GroupOf(absl::string_view type) {
  const size_t dot = type.find('.');
  return dot == absl::string_view::npos ? "" : std::string(type.substr(dot + 1));
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  const auto parsed = rpc::FromProto(time);
  return parsed.ok() ? kubeapi::KubeTime(*parsed) : "";
}

std::string AgeOf(const google::protobuf::Timestamp& time, absl::Time now) {
  const auto parsed = rpc::FromProto(time);
  return parsed.ok() ? Age(now - *parsed) : "";
}

json ValueOf(const twin::v1::Value& value) {
  json metadata = json::object();
  for (const auto& [key, text] : value.metadata()) metadata[key] = text;
  if (value.has_write_time()) metadata["timestamp"] = TimeText(value.write_time());
  json out = {{"value", value.value()}};
  if (!metadata.empty()) out["metadata"] = std::move(metadata);
  return out;
}

// Columns by kind, as kubectl shows them; of what the box alone knows there are our own.
kubeapi::Resource PrinterOf(absl::string_view type) {
  kubeapi::Resource resource;
  resource.kind = KindOf(type);
  kubeapi::AddPrinter(resource);
  if (resource.kind != "Device") return resource;
  resource.columns = {{"Name"},
                      {"Model"},
                      {"Protocol"},
                      {"State"},
                      {"Last-Seen"},
                      {"Age"},
                      {.name = "Node", .priority = 1}};
  resource.cells = [](const json& device, absl::Time now) -> json {
    const std::string seen = StringAt(device, {"status", "lastOnlineTime"});
    return {StringAt(device, {"metadata", "name"}),
            StringAt(device, {"spec", "deviceModelRef", "name"}),
            StringAt(device, {"spec", "protocol", "protocolName"}),
            StringAt(device, {"status", "state"}),
            seen.empty() ? "" : kubeapi::AgeSince(seen, now),
            kubeapi::AgeSince(StringAt(device, {"metadata", "creationTimestamp"}), now),
            StringAt(device, {"spec", "nodeName"})};
  };
  return resource;
}

std::string CellText(const json& cell) {
  return cell.is_string() ? cell.get<std::string>() : kubeapi::DumpJson(cell);
}

std::string ObjectsTable(const Listing& listing, bool wide, absl::Time now) {
  const kubeapi::Resource printer = PrinterOf(listing.type);
  std::vector<size_t> shown;
  std::vector<std::string> heading;
  const bool namespaces =
      listing.all_namespaces &&
      std::any_of(listing.objects.begin(), listing.objects.end(), [](const json& object) {
        return !StringAt(object, {"metadata", "namespace"}).empty();
      });
  if (namespaces) heading.push_back("NAMESPACE");
  for (size_t i = 0; i < printer.columns.size(); ++i) {
    if (printer.columns[i].priority > 0 && !wide) continue;
    shown.push_back(i);
    heading.push_back(absl::AsciiStrToUpper(printer.columns[i].name));
  }
  Table table(heading);
  for (const json& object : listing.objects) {
    const json cells = printer.cells(object, now);
    std::vector<std::string> row;
    if (namespaces) row.push_back(StringAt(object, {"metadata", "namespace"}));
    for (const size_t i : shown) row.push_back(i < cells.size() ? CellText(cells[i]) : "");
    table.Add(std::move(row));
  }
  return table.Render();
}

// "pod/web", "device.devices.kubeedge.io/pump-1".
std::string Names(const Listing& listing) {
  const std::string group = GroupOf(listing.type);
  const std::string kind =
      absl::StrCat(absl::AsciiStrToLower(KindOf(listing.type)), group.empty() ? "" : ".", group);
  std::string out;
  for (const json& object : listing.objects)
    absl::StrAppend(&out, kind, "/", Printable(StringAt(object, {"metadata", "name"})), "\n");
  return out;
}

// "default/pump-1" of "namespaces/default/devices/pump-1/twin".
std::string DeviceOf(absl::string_view twin) {
  const std::vector<absl::string_view> parts = absl::StrSplit(twin, '/');
  return parts.size() < 4 ? std::string(twin) : absl::StrCat(parts[1], "/", parts[3]);
}

std::string TwinsTable(const std::vector<twin::v1::Twin>& twins, bool wide, absl::Time now) {
  std::vector<std::string> heading = {"DEVICE",  "STATE",    "PROPERTY",
                                      "DESIRED", "REPORTED", "REPORTED-AGE"};
  if (wide) heading.insert(heading.end(), {"DESIRED-BY", "REPORTED-BY", "CONFLICT"});
  Table table(heading);
  for (const twin::v1::Twin& twin : twins) {
    std::vector<std::string> names;
    for (const auto& [name, property] : twin.properties()) names.push_back(name);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const twin::v1::Property& property = twin.properties().at(name);
      std::vector<std::string> row = {
          DeviceOf(twin.name()),
          twin.state().state(),
          name,
          property.desired().value(),
          property.reported().value(),
          property.has_reported() ? AgeOf(property.reported().write_time(), now) : ""};
      if (wide) {
        row.push_back(property.desired().writer());
        row.push_back(property.reported().writer());
        row.push_back(property.has_conflict() ? property.conflict().local().value() : "");
      }
      table.Add(std::move(row));
    }
    if (names.empty()) table.Add({DeviceOf(twin.name()), twin.state().state()});
  }
  return table.Render();
}

}  // namespace

void HideSecret(json& secret) {
  for (const char* member : {"data", "stringData"}) {
    if (!secret.contains(member)) continue;
    json hidden = json::object();
    if (secret[member].is_object()) {
      for (const auto& [key, value] : secret[member].items()) hidden[key] = nullptr;
    }
    secret[member] = std::move(hidden);
  }
  kubeapi::ErasePath(
      secret, {"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"});
  kubeapi::ErasePath(secret, {"metadata", "managedFields"});
}

json ObjectOf(const meta::v1::Object& object) {
  absl::StatusOr<json> parsed = kubeapi::ParseJson(object.object());
  if (!parsed.ok() || !parsed->is_object()) return nullptr;
  json out = *std::move(parsed);
  if (!out.contains("kind")) out["kind"] = KindOf(object.type());
  if (!out.contains("apiVersion") && GroupOf(object.type()).empty()) out["apiVersion"] = "v1";
  if (PluralOf(object.type()) == "secrets") HideSecret(out);
  return out;
}

void SetPodStatus(const edged::v1::RunningPod& pod, json& object) {
  absl::StatusOr<json> status = kubeapi::ParseJson(pod.status_json());
  if (status.ok() && status->is_object()) object["status"] = *std::move(status);
}

void SetNodeStatus(const edged::v1::EdgedStatus& edged, json& object) {
  const bool ready = edged.runtime_ready() && edged.meta_synced();
  object["status"] = {{"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}},
                      {"nodeInfo", {{"containerRuntimeVersion", edged.runtime()}}}};
}

void SetDeviceStatus(const twin::v1::Twin& twin, json& object) {
  json twins = json::array();
  std::vector<std::string> names;
  for (const auto& [name, property] : twin.properties()) names.push_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const twin::v1::Property& property = twin.properties().at(name);
    json entry = {{"propertyName", name}};
    if (property.has_reported()) entry["reported"] = ValueOf(property.reported());
    if (property.has_desired()) entry["observedDesired"] = ValueOf(property.desired());
    twins.push_back(std::move(entry));
  }
  json status = {{"state", twin.state().state()}, {"twins", std::move(twins)}};
  if (twin.state().has_last_seen_time())
    status["lastOnlineTime"] = TimeText(twin.state().last_seen_time());
  object["status"] = std::move(status);
}

std::string RenderObjects(const Listing& listing, Format format, absl::Time now) {
  const json value = listing.one && listing.objects.size() == 1
                         ? listing.objects[0]
                         : json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", listing.objects}};
  return Render(format, value, [&] {
    return format == Format::kName ? Names(listing)
                                   : ObjectsTable(listing, format == Format::kWide, now);
  });
}

std::string RenderTwins(const std::vector<twin::v1::Twin>& twins, bool one, Format format,
                        absl::Time now) {
  json list = json::array();
  for (const twin::v1::Twin& twin : twins) list.push_back(JsonOf(twin));
  const json value = one && list.size() == 1 ? list[0] : json{{"twins", list}};
  return Render(format, value, [&] {
    if (format != Format::kName) return TwinsTable(twins, format == Format::kWide, now);
    std::string names;
    for (const twin::v1::Twin& twin : twins)
      absl::StrAppend(&names, "twin/", Printable(DeviceOf(twin.name())), "\n");
    return names;
  });
}

}  // namespace skerry::skerryctl
