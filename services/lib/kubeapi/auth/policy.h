// Who may do what: role-based access control from one readable YAML file.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_POLICY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_POLICY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/request_info.h"

namespace skerry::kubeapi {

// One entry of `allow`, with the meaning of a PolicyRule of rbac.authorization.k8s.io. "*" stands
// for all.
struct PolicyGrant {
  std::vector<std::string> verbs;
  std::vector<std::string> api_groups;  // "" is the core group.
  std::vector<std::string>
      resources;  // "pods", "pods/status", "*/status", "*" (with subresources).
  std::vector<std::string> resource_names;  // Empty: all.
  std::vector<std::string>
      namespaces;  // Empty: all, and what is cluster scoped. Else in these only.
  std::vector<std::string> non_resource_urls;  // "/healthz", "/api/*". Excludes the resource lists.
};

struct PolicyRule {
  std::string name;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<PolicyGrant> allow;
};

struct Decision {
  bool allowed = false;
  std::string reason;  // allowed: "rule <name>". Else as Kubernetes says it: User "x" cannot list
                       // resource …
};

// Immutable: any thread may call it. What no rule allows is denied.
class Policy {
 public:
  explicit Policy(std::vector<PolicyRule> rules);

  // rules:
  //   - name: operators
  //     subjects: {users: [alice], groups: [ops]}
  //     allow:
  //       - {verbs: [get, list, watch], apiGroups: [""], resources: [pods, pods/status],
  //       namespaces: [shop]}
  //       - {verbs: [get], nonResourceURLs: [/version]}
  // INVALID_ARGUMENT names the line.
  static absl::StatusOr<Policy> Parse(absl::string_view yaml);

  Decision Authorize(const Caller& caller, const RequestInfo& info) const;

 private:
  std::vector<PolicyRule> rules_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_POLICY_H_
