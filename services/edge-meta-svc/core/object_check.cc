#include "services/edge-meta-svc/core/object_check.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"

namespace skerry::edgemeta {
namespace {

// Kinds of the types that the box itself reads; others are stored as they come.
constexpr std::pair<const char*, const char*> kKinds[] = {
    {"pods", "Pod"},       {"configmaps", "ConfigMap"},
    {"secrets", "Secret"}, {"serviceaccounts", "ServiceAccount"},
    {"nodes", "Node"},
};

absl::Status Malformed(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message).Reason("OBJECT_MALFORMED");
}

// Empty where the member is absent; false where it is not a string.
bool ReadString(const nlohmann::json& object, const char* member, std::string& value) {
  auto it = object.find(member);
  if (it == object.end() || it->is_null()) return true;
  if (!it->is_string()) return false;
  value = it->get<std::string>();
  return true;
}

}  // namespace

absl::Status CheckObject(absl::string_view type, absl::string_view key, absl::string_view object,
                         size_t bytes_max) {
  absl::StatusOr<ObjectKey> parsed_key = ObjectKey::Parse(key);
  if (!parsed_key.ok()) return parsed_key.status();
  if (object.size() > bytes_max) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("the object has ", object.size(), " bytes, at most ", bytes_max,
                              " are allowed"))
        .Reason("OBJECT_TOO_BIG");
  }
  nlohmann::json json = nlohmann::json::parse(object.begin(), object.end(), nullptr, false);
  if (!json.is_object()) return Malformed("not a JSON object");
  std::string kind;
  if (!ReadString(json, "kind", kind)) return Malformed("kind is not a string");
  for (const auto& [known_type, known_kind] : kKinds) {
    // Items of a Kubernetes list carry no kind.
    if (type == known_type && !kind.empty() && kind != known_kind) {
      return Malformed(absl::StrCat("kind is ", kind, ", not ", known_kind));
    }
  }
  auto metadata = json.find("metadata");
  if (metadata == json.end() || !metadata->is_object()) return Malformed("metadata is missing");
  std::string name;
  std::string object_namespace;
  if (!ReadString(*metadata, "name", name) ||
      !ReadString(*metadata, "namespace", object_namespace)) {
    return Malformed("metadata.name or metadata.namespace is not a string");
  }
  if (name != parsed_key->name() || object_namespace != parsed_key->object_namespace()) {
    return Malformed(absl::StrCat("metadata names \"", object_namespace, "/", name,
                                  "\", the key is \"", key, "\""));
  }
  return absl::OkStatus();
}

}  // namespace skerry::edgemeta
