#include "services/eventbus-svc/runner/rule_topics.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/core/topic_filters.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::eventbus {
namespace {

constexpr absl::Duration kStoreRetry = absl::Seconds(5);

std::set<std::string> Without(const std::set<std::string>& all,
                              const std::set<std::string>& those) {
  std::set<std::string> rest;
  std::set_difference(all.begin(), all.end(), those.begin(), those.end(),
                      std::inserter(rest, rest.end()));
  return rest;
}

}  // namespace

RuleTopics::RuleTopics(std::set<std::string> stored, std::vector<std::string> fixed,
                       Journal& journal, exec::SerialExecutor& executor, Subscribe subscribe,
                       BusMetrics& metrics, log::Logger log)
    : fixed_(std::move(fixed)),
      journal_(journal),
      executor_(executor),
      subscribe_(std::move(subscribe)),
      metrics_(metrics),
      log_(std::move(log)),
      stored_(std::move(stored)),
      wanted_(stored_) {
  metrics_.rule_topics.Set(static_cast<double>(wanted_.size()));
}

// KubeEdge: clients publish on <namespace>/<topic>.
void RuleTopics::OnObject(const std::string&, const std::string& key, const std::string& json) {
  of_rules_.erase(key);
  const auto object = kubeapi::ParseJson(json);
  const std::string topic =
      object.ok() ? kubeapi::StringAt(*object, {"spec", "sourceResource", "topic"}) : "";
  if (!topic.empty()) {
    const std::string filter = absl::StrCat(key.substr(0, key.find('/')), "/", topic);
    const absl::Status good = CheckUserTopicFilter(filter);
    if (good.ok()) {
      of_rules_[key] = filter;
    } else {
      log_.Warning("a rule's topic can't be subscribed to", good, {{"rule", key}});
    }
  }
  Update();
}

void RuleTopics::OnObjectDeleted(const std::string&, const std::string& key) {
  if (of_rules_.erase(key) > 0) Update();
}

void RuleTopics::OnSynced() {
  synced_ = true;
  Update();
}

void RuleTopics::OnConnected(bool connected) { metrics_.meta_connected.Set(connected ? 1 : 0); }

void RuleTopics::Update() {
  if (!synced_) return;  // Those that are not told yet are not gone.
  std::set<std::string> of_rules;
  for (const auto& [rule, filter] : of_rules_) of_rules.insert(filter);
  wanted_ = FiltersBeside(fixed_, of_rules);
  metrics_.rule_topics.Set(static_cast<double>(wanted_.size()));
  const std::set<std::string> added = Without(wanted_, stored_);
  if (added.empty()) {
    subscribe_(wanted_, Without(stored_, wanted_));
  } else {
    Store(added);
  }
}

void RuleTopics::Store(const std::set<std::string>& added) {
  BusChange change;
  for (const std::string& filter : added) change.rule_filters[filter] = true;
  journal_.Submit(std::move(change), [this, added](const absl::Status& status) {
    executor_.Post([this, added, status] {
      if (!status.ok()) {
        log_.Warning("the topics of rules can't be stored, will retry", status);
        executor_.PostAfter(kStoreRetry, [this] { Update(); });
        return;
      }
      stored_.insert(added.begin(), added.end());
      Update();
    });
  });
}

void RuleTopics::OnUnsubscribed(const std::set<std::string>& filters) {
  BusChange change;
  for (const std::string& filter : Without(filters, wanted_)) {
    if (stored_.erase(filter) > 0) change.rule_filters[filter] = false;
  }
  // Where that fails, they are unsubscribed from once more after a restart.
  if (!change.rule_filters.empty()) journal_.Submit(std::move(change));
}

}  // namespace skerry::eventbus
