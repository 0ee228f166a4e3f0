// Who may call what: one readable table a server, default deny.
#ifndef SKERRY_SERVICES_LIB_SECURITY_METHOD_POLICY_H_
#define SKERRY_SERVICES_LIB_SECURITY_METHOD_POLICY_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace skerry::security {

// One row: callers of any of `organizations` may call what `method` matches. A certificate carries
// its organizations; the user of a token has those that the configuration gives it. "*" as
// organization is every caller that has one.
struct MethodRule {
  std::string method;  // "/skerry.cloudhub.v1.AdminService/*", or a full method name.
  std::vector<std::string> organizations;
};

//   MethodPolicy({{"/skerry.link.v1.LinkService/Connect", {"system:nodes"}},
//                 {"/skerry.cloudhub.v1.AdminService/*", {"skerry:operators"}}})
//
// A value; const calls from any thread.
class MethodPolicy {
 public:
  explicit MethodPolicy(std::vector<MethodRule> rules) : rules_(std::move(rules)) {}

  // PERMISSION_DENIED / METHOD_DENIED names the method and what the caller would need.
  absl::Status Check(absl::string_view method, absl::Span<const std::string> organizations) const;

 private:
  std::vector<MethodRule> rules_;
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_METHOD_POLICY_H_
