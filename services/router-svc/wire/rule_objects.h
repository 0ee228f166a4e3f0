// Rules and RuleEndpoints out of Kubernetes objects that nobody has checked.
#ifndef SKERRY_SERVICES_ROUTER_SVC_WIRE_RULE_OBJECTS_H_
#define SKERRY_SERVICES_ROUTER_SVC_WIRE_RULE_OBJECTS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/lib/kubeclient/resource.h"
#include "services/lib/model/kube_object.h"
#include "services/router-svc/core/rule.h"
#include "services/router-svc/core/rule_counters.h"

namespace skerry::router {

inline kubeclient::Resource Rules() { return {"rules.kubeedge.io", "v1", "rules", true}; }
inline kubeclient::Resource RuleEndpoints() {
  return {"rules.kubeedge.io", "v1", "ruleendpoints", true};
}

// INVALID_ARGUMENT / RULE_INVALID, RULE_ENDPOINT_INVALID name the field.
absl::StatusOr<RuleSpec> ReadRule(const KubeObject& object);
absl::StatusOr<Endpoint> ReadEndpoint(const KubeObject& object);

// What is not there, or malformed, is nothing.
RuleStatus ReadRuleStatus(const KubeObject& object);
// A merge patch of a Rule, on condition of its uid.
std::string RuleStatusPatch(const RuleCounters::Change& change);

// What a box has of a rule: where its messages come from there, so that eventbus-svc subscribes and
// servicebus-svc takes posts. Where they go is not the box's to know.
struct BoxRule {
  std::string node;
  KubeObject object;  // Its version is one of the content: a written status is no change.
};
// Absent for a rule whose source is no node's, or that can't be read.
std::optional<BoxRule> ForBox(const KubeObject& rule);

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_WIRE_RULE_OBJECTS_H_
