#include "services/lib/security/method_policy.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::security {
namespace {

bool Matches(absl::string_view pattern, absl::string_view method) {
  if (absl::ConsumeSuffix(&pattern, "*")) return absl::StartsWith(method, pattern);
  return pattern == method;
}

}  // namespace

absl::Status MethodPolicy::Check(absl::string_view method,
                                 absl::Span<const std::string> organizations) const {
  std::vector<std::string> needed;
  for (const MethodRule& rule : rules_) {
    if (!Matches(rule.method, method)) continue;
    for (const std::string& organization : rule.organizations) {
      if (organization == "*") return absl::OkStatus();
      if (std::find(organizations.begin(), organizations.end(), organization) !=
          organizations.end()) {
        return absl::OkStatus();
      }
      needed.push_back(organization);
    }
  }
  std::string need = needed.empty()
                         ? "nobody may call it"
                         : absl::StrCat("the caller needs O=", absl::StrJoin(needed, " or O="));
  return Error(absl::StatusCode::kPermissionDenied,
               absl::StrCat("method ", method, " is not allowed: ", need))
      .Reason("METHOD_DENIED")
      .Meta("method", method);
}

}  // namespace skerry::security
