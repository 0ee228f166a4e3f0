#include "services/device-controller-svc/service/resource_names.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/value_rules.h"

namespace skerry::devicecontroller {
namespace {

constexpr char kDeviceForm[] = "namespaces/{namespace}/devices/{device}";
constexpr size_t kCallIdBytesMax = 64;

Error Wrong(absl::string_view field, absl::string_view text, absl::string_view form) {
  return InvalidField(field, device::ShownValue(text), absl::StrCat("give ", form));
}

// The device, and what follows its name. `form` is that of the whole text.
absl::StatusOr<std::pair<DeviceName, absl::string_view>> Split(absl::string_view field,
                                                               absl::string_view text,
                                                               absl::string_view form) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "namespaces/")) return Wrong(field, text, form);
  const size_t space_end = rest.find('/');
  if (space_end == rest.npos) return Wrong(field, text, form);
  const absl::string_view space = rest.substr(0, space_end);
  rest.remove_prefix(space_end);
  if (!absl::ConsumePrefix(&rest, "/devices/")) return Wrong(field, text, form);
  const size_t name_end = std::min(rest.find('/'), rest.size());
  absl::StatusOr<DeviceName> device = DeviceName::Make(space, rest.substr(0, name_end));
  if (!device.ok()) return Wrong(field, text, form);
  return std::make_pair(*std::move(device), rest.substr(name_end));
}

}  // namespace

std::string DeviceResource(const DeviceName& device) {
  return absl::StrCat("namespaces/", device.device_namespace(), "/devices/", device.name());
}

std::string TwinResource(const DeviceName& device) {
  return absl::StrCat(DeviceResource(device), "/twin");
}

std::string MethodCallResource(const DeviceName& device, absl::string_view call_id) {
  return absl::StrCat(DeviceResource(device), "/methodCalls/", call_id);
}

absl::StatusOr<DeviceName> ParseDeviceResource(absl::string_view field, absl::string_view text) {
  SKERRY_ASSIGN_OR_RETURN(const auto split, Split(field, text, kDeviceForm));
  if (!split.second.empty()) return Wrong(field, text, kDeviceForm);
  return split.first;
}

absl::StatusOr<DeviceName> ParseTwinResource(absl::string_view field, absl::string_view text) {
  const std::string form = absl::StrCat(kDeviceForm, "/twin");
  SKERRY_ASSIGN_OR_RETURN(const auto split, Split(field, text, form));
  if (split.second != "/twin") return Wrong(field, text, form);
  return split.first;
}

absl::StatusOr<std::string> ParseParent(absl::string_view field, absl::string_view text) {
  absl::string_view space = text;
  const bool prefixed = absl::ConsumePrefix(&space, "namespaces/");
  if (prefixed && space == "-") return std::string();
  if (prefixed && IsDns1123Label(space)) return std::string(space);
  return Wrong(field, text, "namespaces/{namespace}, or namespaces/- for all");
}

absl::StatusOr<MethodCallName> ParseMethodCallResource(absl::string_view field,
                                                       absl::string_view text) {
  const std::string form = absl::StrCat(kDeviceForm, "/methodCalls/{call_id}");
  SKERRY_ASSIGN_OR_RETURN(const auto split, Split(field, text, form));
  absl::string_view id = split.second;
  if (!absl::ConsumePrefix(&id, "/methodCalls/")) return Wrong(field, text, form);
  SKERRY_RETURN_IF_ERROR(CheckCallId(field, id));
  return MethodCallName{split.first, std::string(id)};
}

absl::Status CheckCallId(absl::string_view field, absl::string_view text) {
  bool plain = !text.empty() && text.size() <= kCallIdBytesMax;
  for (const char c : text)
    plain = plain && c != '/' && absl::ascii_isgraph(static_cast<unsigned char>(c));
  if (plain) return absl::OkStatus();
  return Wrong(field, text, "a call id of 1 to 64 letters, digits or signs of ASCII, but no '/'");
}

}  // namespace skerry::devicecontroller
