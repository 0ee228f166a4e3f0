// Which rules a box has.
#ifndef SKERRY_SERVICES_ROUTER_SVC_RUNNER_BOX_RULES_H_
#define SKERRY_SERVICES_ROUTER_SVC_RUNNER_BOX_RULES_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/lib/cloudspoke/pusher.h"
#include "services/lib/model/kube_object.h"
#include "services/router-svc/wire/rule_objects.h"

namespace skerry::router {

inline constexpr char kRuleType[] = "rules.rules.kubeedge.io";

// A node has the rules whose source it is, and no other. On the pusher's executor.
class BoxRules final : public cloudspoke::PushSource {
 public:
  // Nodes whose need of the rule, or its content, may have changed.
  std::vector<std::string> Upsert(const KubeObject& rule);
  std::vector<std::string> Remove(const std::string& rule);

  bool Needs(const std::string& node, const std::string& type,
             const std::string& key) const override;
  std::vector<std::string> KeysNeeded(const std::string& node,
                                      const std::string& type) const override;
  std::optional<cloudspoke::Desired> Lookup(const std::string& node, const std::string& type,
                                            const std::string& key) const override;
  // A box that refuses a rule, or one that is too large for it (which none is), has its messages
  // all the same.
  void Refused(const std::string&, const std::string&, const std::string&,
               const std::string&) override {}
  void TooLarge(const std::string&, const KubeObject&, size_t) override {}

 private:
  std::map<std::string, BoxRule> rules_;                // By key.
  std::map<std::string, std::set<std::string>> nodes_;  // Their keys.
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_RUNNER_BOX_RULES_H_
