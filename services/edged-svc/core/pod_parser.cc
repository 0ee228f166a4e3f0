#include "services/edged-svc/core/pod_parser.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/container_parser.h"
#include "services/edged-svc/core/inner_path.h"
#include "services/edged-svc/core/json_reader.h"
#include "services/edged-svc/core/quantity.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"

namespace skerry::edged {
namespace {

using nlohmann::json;

constexpr size_t kPodBytesMax = 2u << 20;
constexpr size_t kContainersMax = 256;

bool IsUid(absl::string_view uid) {
  return !uid.empty() && uid.size() <= 64 && uid != "." && uid != ".." &&
         std::all_of(uid.begin(), uid.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

std::optional<int32_t> ParseMode(const JsonReader& json, const char* name) {
  const std::optional<int64_t> mode = json.Int(name, 0, 0777);
  if (!mode.has_value()) return std::nullopt;
  return static_cast<int32_t>(*mode);
}

FileSource ParseFileSource(const JsonReader& json, FileSource::Kind kind, const char* name_field) {
  FileSource source;
  source.kind = kind;
  source.object = json.Str(name_field);
  source.optional = json.Bool("optional");
  json.Each("items", [&](const JsonReader& item) {
    FileSource::Item& out = source.items.emplace_back();
    out.path = item.Str("path");
    if (!IsInnerPath(out.path) || absl::StartsWith(out.path, ".."))
      json.Refuse(item.Path("path"), "must be a relative path without '..'");
    out.mode = ParseMode(item, "mode");
    if (kind != FileSource::Kind::kDownward) {
      out.key = item.Str("key");
      return;
    }
    if (const JsonReader field = item.Object("fieldRef"); field.present()) {
      out.key = field.Str("fieldPath");
    } else {
      const JsonReader resource = item.Object("resourceFieldRef");
      out.container = resource.Str("containerName");
      out.resource = resource.Str("resource");
      out.divisor_nano = static_cast<int64_t>(ParseQuantityField(resource, "divisor"));
    }
  });
  if (kind != FileSource::Kind::kDownward && !IsDns1123Subdomain(source.object))
    json.Refuse(json.Path(name_field), "must be the name of an object");
  return source;
}

void ParseProjected(const JsonReader& json, VolumeSpec& volume) {
  volume.projected = true;
  volume.plugin = "projected";
  json.Each("sources", [&](const JsonReader& source) {
    if (const JsonReader part = source.Object("configMap"); part.present()) {
      volume.sources.push_back(ParseFileSource(part, FileSource::Kind::kConfigMap, "name"));
    } else if (const JsonReader part = source.Object("secret"); part.present()) {
      volume.sources.push_back(ParseFileSource(part, FileSource::Kind::kSecret, "name"));
    } else if (const JsonReader part = source.Object("downwardAPI"); part.present()) {
      volume.sources.push_back(ParseFileSource(part, FileSource::Kind::kDownward, ""));
    } else if (const JsonReader part = source.Object("serviceAccountToken"); part.present()) {
      FileSource& token = volume.sources.emplace_back();
      token.kind = FileSource::Kind::kToken;
      token.token_path = part.Str("path");
      if (!IsInnerPath(token.token_path))
        json.Refuse(part.Path("path"), "must be a relative path without '..'");
    } else {
      json.Refuse(source.path(), "is a source that this node does not support");
    }
  });
}

VolumeSpec ParseVolume(const JsonReader& json) {
  VolumeSpec volume;
  volume.name = json.Str("name");
  if (!IsDns1123Label(volume.name)) json.Refuse(json.Path("name"), "must be an RFC 1123 label");
  const auto files = [&](const char* kind, FileSource::Kind source, const char* name_field,
                         const char* plugin) {
    const JsonReader part = json.Object(kind);
    if (!part.present()) return false;
    volume.kind = VolumeSpec::Kind::kFiles;
    volume.plugin = plugin;
    volume.default_mode = ParseMode(part, "defaultMode").value_or(0644);
    if (source == FileSource::Kind::kToken) {
      ParseProjected(part, volume);
    } else {
      volume.sources.push_back(ParseFileSource(part, source, name_field));
    }
    return true;
  };
  if (files("configMap", FileSource::Kind::kConfigMap, "name", "configmap") ||
      files("secret", FileSource::Kind::kSecret, "secretName", "secret") ||
      files("downwardAPI", FileSource::Kind::kDownward, "", "downward-api") ||
      files("projected", FileSource::Kind::kToken, "", "projected")) {
    return volume;
  }
  if (const JsonReader host = json.Object("hostPath"); host.present()) {
    volume.kind = VolumeSpec::Kind::kHostPath;
    volume.plugin = "host-path";
    volume.host_path = host.Str("path");
    volume.host_type = host.Str("type");
    if (volume.host_path.empty() || volume.host_path[0] != '/' || volume.host_path.size() > 4096 ||
        absl::StrContains(volume.host_path + "/", "/../") ||
        absl::StrContains(volume.host_path, '\0'))
      json.Refuse(host.Path("path"), "must be an absolute path without '..'");
    return volume;
  }
  const JsonReader empty = json.Object("emptyDir");
  if (!json.Has("emptyDir")) {
    json.Refuse(json.path(),
                absl::StrCat("(volume \"", volume.name,
                             "\") is of a kind that this node does not support: configMap, secret, "
                             "downwardAPI, projected, emptyDir and hostPath are"));
    return volume;
  }
  const std::string medium = empty.Str("medium");
  if (!medium.empty() && medium != "Memory")
    json.Refuse(empty.Path("medium"), "must be empty or Memory");
  volume.memory = medium == "Memory";
  volume.size_bytes_max = ToUnits(ParseQuantityField(empty, "sizeLimit"));
  return volume;
}

void ParseMetadata(const JsonReader& meta, PodSpec& pod) {
  pod.name_space = meta.Str("namespace");
  pod.name = meta.Str("name");
  pod.uid = meta.Str("uid");
  if (!IsDns1123Label(pod.name_space))
    meta.Refuse(meta.Path("namespace"), "must be an RFC 1123 label");
  if (!IsDns1123Subdomain(pod.name))
    meta.Refuse(meta.Path("name"), "must be an RFC 1123 subdomain");
  if (!IsUid(pod.uid)) meta.Refuse(meta.Path("uid"), "must be 1 to 64 of A-Z a-z 0-9 - _ .");
  pod.generation = meta.Int("generation").value_or(0);
  pod.labels = meta.StringMap("labels");
  pod.annotations = meta.StringMap("annotations");
  if (const std::string text = meta.Str("deletionTimestamp"); !text.empty()) {
    absl::Time time;
    std::string error;
    pod.deletion_time =
        absl::ParseTime(absl::RFC3339_full, text, &time, &error) ? time : absl::UnixEpoch();
  }
  pod.deletion_grace_seconds = meta.Int("deletionGracePeriodSeconds");
}

void ParsePodSecurity(const JsonReader& json, PodSpec& pod) {
  pod.security = ParseSecurityContext(json, SecurityContext{});
  pod.fs_group = json.Int("fsGroup", 0, 2147483647);
  json.EachValue("supplementalGroups", [&](const nlohmann::json& value, const std::string& path) {
    if (value.is_number_integer() && value.get<int64_t>() >= 0 &&
        value.get<int64_t>() <= 2147483647) {
      pod.supplemental_groups.push_back(value.get<int64_t>());
    } else {
      json.Fail(path, "a group id");
    }
  });
  json.Each("sysctls", [&](const JsonReader& sysctl) {
    pod.sysctls[sysctl.Str("name")] = sysctl.Str("value");
  });
}

void ParseContainers(const JsonReader& spec, PodSpec& pod) {
  spec.Each("initContainers", [&](const JsonReader& container) {
    if (container.Str("restartPolicy") == "Always")
      spec.Refuse(container.Path("restartPolicy"), "(a sidecar) is not supported on this node");
    pod.init_containers.push_back(ParseContainer(container, pod.security));
  });
  spec.Each("containers", [&](const JsonReader& container) {
    pod.containers.push_back(ParseContainer(container, pod.security));
  });
  if (pod.containers.empty()) spec.Refuse(spec.Path("containers"), "must not be empty");
  if (pod.containers.size() + pod.init_containers.size() > kContainersMax)
    spec.Refuse(spec.Path("containers"), "are too many");
  std::set<std::string> volumes, names;
  for (const VolumeSpec& volume : pod.volumes) {
    if (!volumes.insert(volume.name).second)
      spec.Refuse(spec.Path("volumes"), "have a name twice: " + volume.name);
  }
  for (const auto* list : {&pod.init_containers, &pod.containers}) {
    for (const ContainerSpec& container : *list) {
      if (!names.insert(container.name).second)
        spec.Refuse(spec.Path("containers"), "have a name twice: " + container.name);
      for (const VolumeMount& mount : container.mounts) {
        if (!volumes.contains(mount.volume))
          spec.Refuse(spec.Path("containers"), "mount a volume that is not there: " + mount.volume);
      }
    }
  }
}

void ParseSpec(const JsonReader& spec, PodSpec& pod) {
  pod.node_name = spec.Str("nodeName");
  pod.service_account = spec.Str("serviceAccountName", "default");
  pod.hostname = spec.Str("hostname");
  pod.subdomain = spec.Str("subdomain");
  if (!pod.hostname.empty() && !IsDns1123Label(pod.hostname))
    spec.Refuse(spec.Path("hostname"), "must be a label");
  const std::string policy = spec.Str("restartPolicy", "Always");
  if (policy == "OnFailure") {
    pod.restart_policy = RestartPolicy::kOnFailure;
  } else if (policy == "Never") {
    pod.restart_policy = RestartPolicy::kNever;
  } else if (policy != "Always") {
    spec.Refuse(spec.Path("restartPolicy"), "must be Always, OnFailure or Never");
  }
  pod.termination_grace_seconds = spec.Int("terminationGracePeriodSeconds").value_or(30);
  pod.active_deadline_seconds = spec.Int("activeDeadlineSeconds");
  pod.host_network = spec.Bool("hostNetwork");
  pod.host_pid = spec.Bool("hostPID");
  pod.host_ipc = spec.Bool("hostIPC");
  pod.share_pid = spec.Bool("shareProcessNamespace");
  pod.dns_policy = spec.Str("dnsPolicy", "ClusterFirst");
  const JsonReader dns = spec.Object("dnsConfig");
  pod.dns.servers = dns.Strings("nameservers");
  pod.dns.searches = dns.Strings("searches");
  dns.Each("options", [&](const JsonReader& option) {
    const std::string value = option.Str("value");
    pod.dns.options.push_back(option.Str("name") + (value.empty() ? "" : ":" + value));
  });
  spec.Each("hostAliases", [&](const JsonReader& alias) {
    pod.host_aliases.push_back({alias.Str("ip"), alias.Strings("hostnames")});
  });
  spec.Each("imagePullSecrets",
            [&](const JsonReader& ref) { pod.pull_secrets.push_back(ref.Str("name")); });
  ParsePodSecurity(spec.Object("securityContext"), pod);
  spec.Each("volumes",
            [&](const JsonReader& volume) { pod.volumes.push_back(ParseVolume(volume)); });
  ParseContainers(spec, pod);
}

// Conditions that the kubelet's place in the status does not own.
void ParseForeignConditions(const JsonReader& status, PodSpec& pod) {
  static const std::set<std::string> kOwn = {"Initialized", "Ready", "ContainersReady",
                                             "PodReadyToStartContainers"};
  status.EachValue("conditions", [&](const json& condition, const std::string&) {
    if (!condition.is_object() || !condition.contains("type") || !condition["type"].is_string())
      return;
    if (!kOwn.contains(condition["type"].get<std::string>()) && pod.foreign_conditions.size() < 32)
      pod.foreign_conditions.push_back(
          condition.dump(-1, ' ', false, json::error_handler_t::replace));
  });
}

}  // namespace

absl::StatusOr<PodSpec> ParsePod(absl::string_view text) {
  if (text.size() > kPodBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("the pod object has ", text.size(), " bytes"))
        .Reason("POD_INVALID");
  }
  const json document = json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object())
    return Error(absl::StatusCode::kInvalidArgument, "the pod object is not a JSON object")
        .Reason("POD_INVALID");
  absl::Status status;
  PodSpec pod;
  const JsonReader root(&document, "", &status);
  ParseMetadata(root.Object("metadata"), pod);
  ParseSpec(root.Object("spec"), pod);
  if (!status.ok()) return status;
  ParseForeignConditions(root.Object("status"), pod);
  return pod;
}

PodSpec ParsePodIdentity(absl::string_view text) {
  PodSpec pod;
  if (text.size() > kPodBytesMax) return pod;
  const json document = json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object()) return pod;
  absl::Status status;
  ParseMetadata(JsonReader(&document, "", &status).Object("metadata"), pod);
  if (!IsDns1123Label(pod.name_space) || !IsDns1123Subdomain(pod.name) || !IsUid(pod.uid))
    return PodSpec{};
  return pod;
}

}  // namespace skerry::edged
