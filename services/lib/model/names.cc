#include "services/lib/model/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry {
namespace {

constexpr size_t kLabelMax = 63;
constexpr size_t kSubdomainMax = 253;

constexpr char kGiveLabel[] =
    "give a DNS label: lower case letters, digits and '-', at most 63 characters";
constexpr char kGiveSubdomain[] =
    "give a DNS name: lower case letters, digits, '-' and '.', at most 253 characters";

bool IsLowerAlnum(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

// [a-z0-9]([-a-z0-9]*[a-z0-9])?
bool IsLabelText(absl::string_view text) {
  if (text.empty() || !IsLowerAlnum(text.front()) || !IsLowerAlnum(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

// What every Kubernetes name satisfies, whatever its kind: one path segment. Some kinds (roles)
// allow more than a DNS name, so kinds' own rules are checked where whole objects are.
bool IsPathSegment(absl::string_view text) {
  if (text.empty() || text.size() > kSubdomainMax || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(c) && c != '/' && c != '%'; });
}

}  // namespace

bool IsDns1123Label(absl::string_view text) {
  return text.size() <= kLabelMax && IsLabelText(text);
}

bool IsDns1123Subdomain(absl::string_view text) {
  if (text.empty() || text.size() > kSubdomainMax) return false;
  for (;;) {
    const size_t dot = text.find('.');
    if (!IsLabelText(text.substr(0, dot))) return false;
    if (dot == absl::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

absl::StatusOr<NodeName> NodeName::Parse(absl::string_view text) {
  if (!IsDns1123Subdomain(text)) {
    return InvalidField("node", text, kGiveSubdomain);
  }
  return NodeName(text);
}

absl::StatusOr<ResourceType> ResourceType::Parse(absl::string_view text) {
  const size_t dot = text.find('.');
  const bool group_ok = dot == absl::string_view::npos || IsDns1123Subdomain(text.substr(dot + 1));
  if (!IsDns1123Label(text.substr(0, dot)) || !group_ok) {
    return InvalidField("type", text,
                        "give resource or resource.group in lower case, such as pods or "
                        "leases.coordination.k8s.io");
  }
  return ResourceType(text);
}

absl::StatusOr<ObjectKey> ObjectKey::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos) return Make("", text);
  if (slash == 0)
    return InvalidField("key", text, "give namespace/name, or name for a cluster-scoped object");
  return Make(text.substr(0, slash), text.substr(slash + 1));
}

absl::StatusOr<ObjectKey> ObjectKey::Make(absl::string_view object_namespace,
                                          absl::string_view name) {
  if (!object_namespace.empty() && !IsDns1123Label(object_namespace))
    return InvalidField("namespace", object_namespace, kGiveLabel);
  if (!IsPathSegment(name)) {
    return InvalidField("name", name,
                        "give 1 to 253 printable characters without '/', '%' and spaces");
  }
  if (object_namespace.empty()) return ObjectKey(name);
  return ObjectKey(absl::StrCat(object_namespace, "/", name));
}

std::string ObjectKey::object_namespace() const {
  const size_t slash = value_.find('/');
  return slash == std::string::npos ? std::string() : value_.substr(0, slash);
}

std::string ObjectKey::name() const {
  const size_t slash = value_.find('/');
  return slash == std::string::npos ? value_ : value_.substr(slash + 1);
}

absl::StatusOr<DeviceName> DeviceName::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos)
    return InvalidField("device", text, "give namespace/name, such as default/sensor-1");
  return Make(text.substr(0, slash), text.substr(slash + 1));
}

absl::StatusOr<DeviceName> DeviceName::Make(absl::string_view device_namespace,
                                            absl::string_view name) {
  if (!IsDns1123Label(device_namespace))
    return InvalidField("namespace", device_namespace, kGiveLabel);
  if (!IsDns1123Subdomain(name)) return InvalidField("device", name, kGiveSubdomain);
  return DeviceName(absl::StrCat(device_namespace, "/", name));
}

std::string DeviceName::device_namespace() const { return value_.substr(0, value_.find('/')); }

std::string DeviceName::name() const { return value_.substr(value_.find('/') + 1); }

std::ostream& operator<<(std::ostream& out, const NodeName& name) { return out << name.value(); }
std::ostream& operator<<(std::ostream& out, const ResourceType& type) {
  return out << type.value();
}
std::ostream& operator<<(std::ostream& out, const ObjectKey& key) { return out << key.value(); }
std::ostream& operator<<(std::ostream& out, const DeviceName& name) { return out << name.value(); }

}  // namespace skerry
