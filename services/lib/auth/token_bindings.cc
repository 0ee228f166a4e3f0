#include "services/lib/auth/token_bindings.h"

#include "absl/strings/match.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/base/strings.h"

namespace skerry::auth {

absl::StatusOr<TokenBindings::Bound> TokenBindings::ParseList(
    absl::string_view setting, absl::Span<const std::string> entries) {
  Bound bound;
  for (const std::string& entry : entries) {
    // Names may hold "=", organizations do not.
    const size_t at = entry.rfind('=');
    if (at == std::string::npos || at == 0 || at + 1 == entry.size()) {
      return InvalidField(setting, entry,
                          "use <name>=<organization>, as in "
                          "system:serviceaccount:shop:billing=skerry:applications");
    }
    const std::string organization = entry.substr(at + 1);
    if (absl::StartsWith(organization, "system:")) {
      return InvalidField(setting, entry,
                          "only certificates carry organizations of system:…; use one of skerry:…");
    }
    bound[entry.substr(0, at)].insert(organization);
  }
  return bound;
}

absl::StatusOr<TokenBindings> TokenBindings::Parse(absl::Span<const std::string> users,
                                                   absl::Span<const std::string> groups) {
  TokenBindings bindings;
  SKERRY_ASSIGN_OR_RETURN(bindings.users_, ParseList("auth.bearer.users", users));
  SKERRY_ASSIGN_OR_RETURN(bindings.groups_, ParseList("auth.bearer.groups", groups));
  return bindings;
}

std::vector<std::string> TokenBindings::OrganizationsOf(
    absl::string_view user, absl::Span<const std::string> groups) const {
  std::set<std::string> found;
  const auto add = [&found](const Bound& bound, absl::string_view name) {
    const auto at = bound.find(ToStd(name));
    if (at != bound.end()) found.insert(at->second.begin(), at->second.end());
  };
  add(users_, user);
  for (const std::string& group : groups) add(groups_, group);
  return {found.begin(), found.end()};
}

}  // namespace skerry::auth
