#include "services/edged-svc/runner/object_cache.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/json_reader.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

absl::Status Decode(const JsonReader& root, const char* field,
                    std::map<std::string, std::string>& out) {
  for (const auto& [key, encoded] : root.StringMap(field)) {
    if (!absl::Base64Unescape(encoded, &out[key])) {
      // The value itself may be a secret: it is not told.
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".", key.substr(0, 64), " is not base64"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const KeyedData>> Parse(absl::string_view json, bool secret) {
  const nlohmann::json document = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  if (!document.is_object()) return absl::InvalidArgumentError("the object is not a JSON object");
  absl::Status status;
  const JsonReader root(&document, "", &status);
  auto data = std::make_shared<KeyedData>();
  if (secret) {
    data->type = root.Str("type");
    SKERRY_RETURN_IF_ERROR(Decode(root, "data", data->text));
    // Write-only in the API; honoured in case a store kept it.
    for (auto& [key, value] : root.StringMap("stringData")) data->text[key] = value;
  } else {
    data->text = root.StringMap("data");
    SKERRY_RETURN_IF_ERROR(Decode(root, "binaryData", data->binary));
  }
  SKERRY_RETURN_IF_ERROR(status);
  return std::shared_ptr<const KeyedData>(std::move(data));
}

}  // namespace

absl::Status ObjectCache::PutConfigMap(absl::string_view key, absl::string_view json) {
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<const KeyedData> data, Parse(json, false));
  absl::MutexLock lock(&mutex_);
  config_maps_[std::string(key)] = std::move(data);
  return absl::OkStatus();
}

absl::Status ObjectCache::PutSecret(absl::string_view key, absl::string_view json) {
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<const KeyedData> data, Parse(json, true));
  absl::MutexLock lock(&mutex_);
  secrets_[std::string(key)] = std::move(data);
  return absl::OkStatus();
}

void ObjectCache::DeleteConfigMap(absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  config_maps_.erase(std::string(key));
}

void ObjectCache::DeleteSecret(absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  secrets_.erase(std::string(key));
}

std::shared_ptr<const KeyedData> ObjectCache::ConfigMap(absl::string_view name_space,
                                                        absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = config_maps_.find(absl::StrCat(name_space, "/", name));
  return it == config_maps_.end() ? nullptr : it->second;
}

std::shared_ptr<const KeyedData> ObjectCache::Secret(absl::string_view name_space,
                                                     absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = secrets_.find(absl::StrCat(name_space, "/", name));
  return it == secrets_.end() ? nullptr : it->second;
}

}  // namespace skerry::edged
