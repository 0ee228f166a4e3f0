#include "tools/skerryctl/get/kinds.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/skerryctl/command/nearest.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

struct Known {
  const char* plural;
  const char* singular;
  const char* shorter;  // As kubectl has it; empty: none.
  const char* kind;
};

constexpr std::array<Known, 11> kKnown = {{
    {"pods", "pod", "po", "Pod"},
    {"configmaps", "configmap", "cm", "ConfigMap"},
    {"secrets", "secret", "", "Secret"},
    {"serviceaccounts", "serviceaccount", "sa", "ServiceAccount"},
    {"nodes", "node", "no", "Node"},
    {"devices", "device", "", "Device"},
    {"devicemodels", "devicemodel", "", "DeviceModel"},
    {"rules", "rule", "", "Rule"},
    {"ruleendpoints", "ruleendpoint", "", "RuleEndpoint"},
    {"twins", "twin", "", "Twin"},
    {"sessions", "session", "", "Session"},
}};

}  // namespace

absl::StatusOr<std::string> TypeOf(absl::string_view word, const std::vector<std::string>& types) {
  const std::string lower = absl::AsciiStrToLower(word);
  std::string plural = lower;
  for (const Known& known : kKnown) {
    if (lower == known.singular || (*known.shorter != 0 && lower == known.shorter))
      plural = known.plural;
  }
  std::vector<std::string> names;
  for (const std::string& type : types) {
    if (type == lower || PluralOf(type) == plural) return type;
    names.push_back(PluralOf(type));
  }
  const std::string near = Nearest(lower, names);
  return ToStatus({.exit_code = ExitCode::kUsage,
                   .step = "read the arguments",
                   .expected = absl::StrCat("one of ", absl::StrJoin(names, ", ")),
                   .seen = std::string(word),
                   .fix = near.empty() ? "" : absl::StrCat("did you mean '", near, "'?"),
                   .reason = "KIND_UNKNOWN"});
}

std::vector<std::string> UsualTypes() {
  return {"pods",
          "configmaps",
          "secrets",
          "serviceaccounts",
          "nodes",
          "devices.devices.kubeedge.io",
          "devicemodels.devices.kubeedge.io",
          "rules.rules.kubeedge.io",
          "twins"};
}

std::vector<std::string> CloudTypes() { return {"sessions", "devices", "twins"}; }

std::string PluralOf(absl::string_view type) { return std::string(type.substr(0, type.find('.'))); }

std::string KindOf(absl::string_view type) {
  const std::string plural = PluralOf(type);
  for (const Known& known : kKnown) {
    if (plural == known.plural) return known.kind;
  }
  return plural;
}

}  // namespace skerry::skerryctl
