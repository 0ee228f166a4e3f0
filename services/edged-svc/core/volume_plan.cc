#include "services/edged-svc/core/volume_plan.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/inner_path.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr size_t kVolumeBytesMax = 8u << 20;

absl::Status NotReady(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message).Reason("FAILED_MOUNT");
}

// A key as a file name, as the API server requires of it; an edge box does not rely on that.
bool IsFileName(absl::string_view key) {
  return !key.empty() && key.size() <= 253 && key != "." && !absl::StartsWith(key, "..") &&
         !absl::StrContains(key, "/") && !absl::StrContains(key, '\0');
}

const std::string* FindKey(const KeyedData& data, const std::string& key) {
  if (const auto it = data.text.find(key); it != data.text.end()) return &it->second;
  if (const auto it = data.binary.find(key); it != data.binary.end()) return &it->second;
  return nullptr;
}

absl::Status AddObject(const PodSpec& pod, const FileSource& source, int32_t default_mode,
                       bool optional, const ObjectSource& objects, VolumeFiles& out) {
  const bool secret = source.kind == FileSource::Kind::kSecret;
  const auto data = secret ? objects.Secret(pod.name_space, source.object)
                           : objects.ConfigMap(pod.name_space, source.object);
  if (data == nullptr) {
    if (optional) return absl::OkStatus();
    return NotReady(
        absl::StrCat(secret ? "secret" : "configmap", " \"", source.object, "\" not found"));
  }
  if (source.items.empty()) {
    for (const auto* part : {&data->text, &data->binary}) {
      for (const auto& [key, bytes] : *part) {
        if (!IsFileName(key))
          return NotReady(absl::StrCat("key \"", key.substr(0, 64), "\" of \"", source.object,
                                       "\" is not a file name"));
        out[key] = {bytes, default_mode};
      }
    }
    return absl::OkStatus();
  }
  for (const FileSource::Item& item : source.items) {
    const std::string* bytes = FindKey(*data, item.key);
    if (bytes == nullptr) {
      if (optional) continue;
      return NotReady(absl::StrCat("references non-existent ", secret ? "secret" : "config",
                                   " key: ", item.key));
    }
    out[item.path] = {*bytes, item.mode.value_or(default_mode)};
  }
  return absl::OkStatus();
}

absl::Status AddDownward(const PodSpec& pod, const FileSource& source, int32_t default_mode,
                         const PodPlace& place, const NodeResources& node, VolumeFiles& out) {
  for (const FileSource::Item& item : source.items) {
    FilePayload& file = out[item.path];
    file.mode = item.mode.value_or(default_mode);
    if (!item.key.empty()) {
      absl::StatusOr<std::string> value = PodField(pod, place, item.key);
      if (!value.ok()) return NotReady(value.status().message());
      file.bytes = *std::move(value);
      continue;
    }
    const ContainerSpec* container = pod.Find(item.container);
    if (container == nullptr)
      return NotReady(absl::StrCat("container ", item.container, " not found"));
    file.bytes = ResourceFieldValue(*container, item.resource, item.divisor_nano, node);
    if (file.bytes.empty())
      return NotReady(absl::StrCat("unsupported container resource: ", item.resource));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VolumeFiles> PlanFiles(const PodSpec& pod, const VolumeSpec& volume,
                                      const PodPlace& place, const ObjectSource& objects,
                                      const NodeResources& node) {
  VolumeFiles out;
  const bool automatic = volume.projected && absl::StartsWith(volume.name, "kube-api-access-");
  for (const FileSource& source : volume.sources) {
    switch (source.kind) {
      case FileSource::Kind::kConfigMap:
      case FileSource::Kind::kSecret:
        SKERRY_RETURN_IF_ERROR(AddObject(pod, source, volume.default_mode,
                                         source.optional || automatic, objects, out));
        break;
      case FileSource::Kind::kDownward:
        SKERRY_RETURN_IF_ERROR(AddDownward(pod, source, volume.default_mode, place, node, out));
        break;
      case FileSource::Kind::kToken:
        if (!automatic) return NotReady("this node has no source of service account tokens");
        break;
    }
  }
  size_t bytes = 0;
  for (const auto& [path, file] : out) {
    if (!IsInnerPath(path))
      return NotReady(absl::StrCat("path \"", path.substr(0, 64), "\" leaves the volume"));
    bytes += file.bytes.size();
  }
  if (bytes > kVolumeBytesMax)
    return NotReady(absl::StrCat("the files have ", bytes, " bytes, more than ", kVolumeBytesMax));
  return out;
}

}  // namespace skerry::edged
