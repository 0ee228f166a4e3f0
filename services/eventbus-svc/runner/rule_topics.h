// The topics whose messages go to the cloud because a Rule says so.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_RULE_TOPICS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_RULE_TOPICS_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/metaclient/meta_client.h"

namespace skerry::eventbus {

inline constexpr char kRuleType[] = "rules.rules.kubeedge.io";

// Follows the box's rules, which edge-meta-svc holds with or without the cloud, and says what to
// subscribe to. What was subscribed to is in the store, because the broker keeps the subscription
// of a session: so a rule that goes while this service is away is unsubscribed from at its next
// start, and until edge-meta-svc has answered the former rules count. On the executor.
class RuleTopics final : public metaclient::MetaListener {
 public:
  // The subscriptions that are wanted, beside the fixed ones, and those that are not any more.
  using Subscribe =
      std::function<void(std::set<std::string> wanted, std::set<std::string> unwanted)>;

  // `stored`: of the store. `fixed`: what is subscribed to in any case.
  RuleTopics(std::set<std::string> stored, std::vector<std::string> fixed, Journal& journal,
             exec::SerialExecutor& executor, Subscribe subscribe, BusMetrics& metrics,
             log::Logger log);

  // The broker has taken these subscriptions back.
  void OnUnsubscribed(const std::set<std::string>& filters);

  void OnObject(const std::string& type, const std::string& key, const std::string& json) override;
  void OnObjectDeleted(const std::string& type, const std::string& key) override;
  void OnSynced() override;
  void OnConnected(bool connected) override;
  void OnReportSent(bool) override {}  // It hands in none.

 private:
  void Update();
  // What has to be known after a crash is stored before it is asked for.
  void Store(const std::set<std::string>& added);

  const std::vector<std::string> fixed_;
  Journal& journal_;
  exec::SerialExecutor& executor_;
  const Subscribe subscribe_;
  BusMetrics& metrics_;
  const log::Logger log_;
  std::map<std::string, std::string> of_rules_;  // Filters by rule.
  std::set<std::string> stored_;
  std::set<std::string> wanted_;
  bool synced_ = false;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_RULE_TOPICS_H_
