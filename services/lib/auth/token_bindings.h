// Which organizations of MethodPolicy the users of tokens have.
#ifndef SKERRY_SERVICES_LIB_AUTH_TOKEN_BINDINGS_H_
#define SKERRY_SERVICES_LIB_AUTH_TOKEN_BINDINGS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace skerry::auth {

// A value; const calls from any thread.
class TokenBindings {
 public:
  // Entries are "<user or group>=<organization>"; a name may be in several. INVALID_ARGUMENT names
  // the setting and the entry: one without a name or an organization, one that gives an
  // organization of "system:…", which only certificates carry.
  static absl::StatusOr<TokenBindings> Parse(absl::Span<const std::string> users,
                                             absl::Span<const std::string> groups);

  // Sorted; empty where nothing binds the user or a group of its.
  std::vector<std::string> OrganizationsOf(absl::string_view user,
                                           absl::Span<const std::string> groups) const;
  bool empty() const { return users_.empty() && groups_.empty(); }

 private:
  using Bound = std::map<std::string, std::set<std::string>, std::less<>>;
  static absl::StatusOr<Bound> ParseList(absl::string_view setting,
                                         absl::Span<const std::string> entries);

  Bound users_;
  Bound groups_;
};

}  // namespace skerry::auth

#endif  // SKERRY_SERVICES_LIB_AUTH_TOKEN_BINDINGS_H_
