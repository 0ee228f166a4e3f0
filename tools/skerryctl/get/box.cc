// What the box answers by itself.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "tools/skerryctl/box_client.h"
#include "tools/skerryctl/get/get_command.h"
#include "tools/skerryctl/get/kinds.h"
#include "tools/skerryctl/get/objects.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using nlohmann::json;

absl::Status Explain(const absl::Status& status, absl::string_view service,
                     const GetOptions& options) {
  if (status.ok() || !GetErrorInfo(status).metadata["exit_code"].empty()) return status;
  StepError error = FromStatus(status);
  error.step = absl::StrCat("ask ", service);
  error.expected = absl::StrCat("an answer on its socket in ", options.run_dir);
  if (error.exit_code == ExitCode::kUnreachable)
    error.fix = absl::StrCat("start ", service, ", or name the folder of its socket: --run-dir");
  return ToStatus(error);
}

absl::Status Unknown(const GetOptions& options) {
  return ToStatus({.step = "look for it",
                   .expected = absl::StrCat(options.kind, " '", options.name, "' in namespace ",
                                            options.name_space, " on this box"),
                   .seen = "nothing of that name",
                   .fix = absl::StrCat("skerryctl get ", options.kind, " -A"),
                   .reason = "OBJECT_UNKNOWN"});
}

std::vector<std::string> TypesOf(const meta::v1::MetaStatus& status) {
  std::vector<std::string> types;
  for (const auto& type : status.types()) types.push_back(type.type());
  types.push_back("twins");
  return types;
}

absl::StatusOr<std::vector<meta::v1::Object>> Find(BoxClient& box, const std::string& type,
                                                   const GetOptions& options) {
  if (options.name.empty()) {
    auto found = box.ListObjects(type, options.all_namespaces ? "" : options.name_space);
    if (!found.ok() || !found->empty() || options.all_namespaces) return found;
    found = box.ListObjects(type, "");  // Nodes and the like are in no namespace.
    if (!found.ok()) return found;
    found->erase(std::remove_if(found->begin(), found->end(),
                                [](const meta::v1::Object& object) {
                                  return absl::StrContains(object.key(), '/');
                                }),
                 found->end());
    return found;
  }
  absl::StatusOr<meta::v1::Object> found =
      box.GetObject(type, absl::StrCat(options.name_space, "/", options.name));
  if (absl::IsNotFound(found.status())) found = box.GetObject(type, options.name);
  if (absl::IsNotFound(found.status())) return Unknown(options);
  if (!found.ok()) return found.status();
  return std::vector<meta::v1::Object>{*std::move(found)};
}

// A neighbour's word about `type`, put into the objects.
void AddNeighbour(BoxClient& box, const std::string& type, const GetOptions& options,
                  std::map<std::string, json>& objects, std::vector<std::string>& notes) {
  if (type == "pods") {
    const auto pods = box.ListPods();
    if (!pods.ok())
      notes.push_back("edged-svc does not answer: STATUS is the one that the cloud has sent");
    for (const edged::v1::RunningPod& pod : pods.value_or(std::vector<edged::v1::RunningPod>())) {
      if (const auto it = objects.find(pod.key()); it != objects.end())
        SetPodStatus(pod, it->second);
    }
  } else if (type == "nodes") {
    const auto edged = box.GetEdgedStatus();
    if (!edged.ok()) notes.push_back("edged-svc does not answer: STATUS is not known");
    for (auto& [key, object] : objects) {
      if (edged.ok() && objects.size() == 1) SetNodeStatus(*edged, object);
    }
  } else if (PluralOf(type) == "devices") {
    const auto twins = box.ListTwins(options.all_namespaces ? "" : options.name_space);
    if (!twins.ok()) notes.push_back("twin-svc does not answer: STATE and twins are not known");
    for (const twin::v1::Twin& twin : twins.value_or(std::vector<twin::v1::Twin>())) {
      const std::vector<std::string> parts = absl::StrSplit(twin.name(), '/');
      if (parts.size() != 5) continue;
      if (const auto it = objects.find(absl::StrCat(parts[1], "/", parts[3])); it != objects.end())
        SetDeviceStatus(twin, it->second);
    }
  }
}

absl::StatusOr<Got> GetTwins(BoxClient& box, const GetOptions& options) {
  auto twins = box.ListTwins(options.all_namespaces ? "" : options.name_space);
  SKERRY_RETURN_IF_ERROR(Explain(twins.status(), "twin-svc", options));
  if (!options.name.empty()) {
    const std::string wanted =
        absl::StrCat("namespaces/", options.name_space, "/devices/", options.name, "/twin");
    twins->erase(std::remove_if(twins->begin(), twins->end(),
                                [&](const twin::v1::Twin& twin) { return twin.name() != wanted; }),
                 twins->end());
    if (twins->empty()) return Unknown(options);
  }
  Got got;
  if (twins->empty() && options.format == Format::kTable) got.notes.push_back("No twins found.");
  got.text = RenderTwins(*twins, !options.name.empty(), options.format, absl::Now());
  return got;
}

}  // namespace

absl::StatusOr<Got> GetFromBox(const GetOptions& options) {
  BoxClient box(options.run_dir);
  const auto status = box.GetMetaStatus();
  // Twins are there without edge-meta-svc.
  SKERRY_ASSIGN_OR_RETURN(const std::string type,
                          TypeOf(options.kind, status.ok() ? TypesOf(*status) : UsualTypes()));
  if (type == "twins") return GetTwins(box, options);
  SKERRY_RETURN_IF_ERROR(Explain(status.status(), "edge-meta-svc", options));
  const auto found = Find(box, type, options);
  SKERRY_RETURN_IF_ERROR(Explain(found.status(), "edge-meta-svc", options));
  Got got;
  std::map<std::string, json> objects;
  for (const meta::v1::Object& object : *found) {
    json value = ObjectOf(object);
    if (value.is_null()) {
      got.notes.push_back(absl::StrCat(object.key(), " is not readable, and is left out"));
    } else {
      objects.emplace(object.key(), std::move(value));
    }
  }
  AddNeighbour(box, type, options, objects, got.notes);
  Listing listing{.type = type,
                  .one = !options.name.empty(),
                  .all_namespaces = options.all_namespaces && options.name.empty()};
  for (auto& [key, object] : objects) listing.objects.push_back(std::move(object));
  if (listing.objects.empty() && options.format != Format::kJson &&
      options.format != Format::kYaml) {
    got.notes.push_back(options.all_namespaces || type == "nodes"
                            ? absl::StrCat("No ", PluralOf(type), " on this box.")
                            : absl::StrCat("No ", PluralOf(type), " in namespace ",
                                           options.name_space, " on this box."));
    return got;
  }
  got.text = RenderObjects(listing, options.format, absl::Now());
  return got;
}

std::vector<std::string> KindsOnBox(const std::string& run_dir) {
  BoxClient box(run_dir);
  const auto status = box.GetMetaStatus();
  std::vector<std::string> kinds;
  for (const std::string& type : status.ok() ? TypesOf(*status) : UsualTypes())
    kinds.push_back(PluralOf(type));
  return kinds;
}

std::vector<std::string> NamesOnBox(const GetOptions& options) {
  GetOptions names = options;
  names.format = Format::kName;
  names.name.clear();
  const auto got = GetFromBox(names);
  if (!got.ok()) return {};
  std::vector<std::string> out;
  for (const absl::string_view line : absl::StrSplit(got->text, '\n', absl::SkipEmpty()))
    out.emplace_back(line.substr(line.rfind('/') + 1));
  return out;
}

}  // namespace skerry::skerryctl
