#include "services/lib/kubeapi/meta_validation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace skerry::kubeapi {

const char kDnsLabelText[] =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const char kDnsSubdomainText[] =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

namespace {

constexpr size_t kAnnotationBytesMax = 256 * 1024;
constexpr char kLabelValueText[] =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr char kQualifiedNameText[] =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

bool IsLowerAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

// Letters, digits, '-', '_', '.', with a letter or digit at both ends.
bool IsWord(absl::string_view text) {
  return !text.empty() && IsAlnum(text.front()) && IsAlnum(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsLabelValue(absl::string_view text) {
  return text.empty() || (text.size() <= 63 && IsWord(text));
}

void ValidateLabels(const Json& labels, std::vector<FieldError>& errors) {
  for (const auto& [key, value] : labels.items()) {
    if (!IsQualifiedName(key))
      errors.push_back(FieldInvalid("metadata.labels", key, kQualifiedNameText));
    if (!value.is_string()) continue;
    const std::string& text = value.get_ref<const std::string&>();
    if (text.size() > 63) {
      errors.push_back(FieldInvalid("metadata.labels", text, "must be no more than 63 bytes"));
    } else if (!IsLabelValue(text)) {
      errors.push_back(FieldInvalid("metadata.labels", text, kLabelValueText));
    }
  }
}

void ValidateName(const Resource& resource, const std::string& name,
                  std::vector<FieldError>& errors) {
  if (name.empty()) {
    errors.push_back(FieldRequired("metadata.name", "name or generateName is required"));
    return;
  }
  if (resource.name_rule == NameRule::kLabel) {
    if (!IsDnsLabel(name)) {
      errors.push_back(
          FieldInvalid("metadata.name", name,
                       name.size() > 63 ? "must be no more than 63 bytes" : kDnsLabelText));
    }
  } else if (!IsDnsSubdomain(name)) {
    errors.push_back(
        FieldInvalid("metadata.name", name,
                     name.size() > 253 ? "must be no more than 253 bytes" : kDnsSubdomainText));
  }
}

}  // namespace

bool IsDnsLabel(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && IsLowerAlnum(text.front()) &&
         IsLowerAlnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

bool IsDnsSubdomain(absl::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (const absl::string_view label : absl::StrSplit(text, '.')) {
    if (label.empty() || !IsLowerAlnum(label.front()) || !IsLowerAlnum(label.back())) return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return IsLowerAlnum(c) || c == '-'; }))
      return false;
  }
  return true;
}

bool IsConfigKey(absl::string_view text) {
  return !text.empty() && text.size() <= 253 && text != "." && text.substr(0, 2) != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsQualifiedName(absl::string_view text) {
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos) return text.size() <= 63 && IsWord(text);
  const absl::string_view name = text.substr(slash + 1);
  return IsDnsSubdomain(text.substr(0, slash)) && name.size() <= 63 && IsWord(name);
}

bool IsEnvName(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c >= 0x20 && c < 0x7f && c != '='; });
}

void ValidateMeta(const Resource& resource, const Json& object, std::vector<FieldError>& errors) {
  ValidateName(resource, StringAt(object, {"metadata", "name"}), errors);
  if (!resource.namespaced && FindPath(object, {"metadata", "namespace"}) != nullptr) {
    errors.push_back(FieldForbidden("metadata.namespace", "not allowed on this type"));
  }
  ValidateLabels(ObjectAt(object, {"metadata", "labels"}), errors);
  size_t bytes = 0;
  for (const auto& [key, value] : ObjectAt(object, {"metadata", "annotations"}).items()) {
    if (!IsQualifiedName(absl::AsciiStrToLower(key))) {
      errors.push_back(FieldInvalid("metadata.annotations", key, kQualifiedNameText));
    }
    bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  }
  if (bytes > kAnnotationBytesMax)
    errors.push_back(FieldTooLong("metadata.annotations", kAnnotationBytesMax));
  const Json& finalizers = ArrayAt(object, {"metadata", "finalizers"});
  for (size_t i = 0; i < finalizers.size(); ++i) {
    if (finalizers[i].is_string() && !IsQualifiedName(finalizers[i].get<std::string>())) {
      errors.push_back(FieldInvalid(absl::StrCat("metadata.finalizers[", i, "]"), finalizers[i],
                                    kQualifiedNameText));
    }
  }
}

}  // namespace skerry::kubeapi
