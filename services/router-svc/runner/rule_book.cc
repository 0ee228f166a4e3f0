#include "services/router-svc/runner/rule_book.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"
#include "services/router-svc/wire/rule_objects.h"

namespace skerry::router {

void RuleBook::UpsertRule(const KubeObject& object) {
  absl::StatusOr<RuleSpec> rule = ReadRule(object);
  const RuleStatus status = ReadRuleStatus(object);
  absl::MutexLock lock(&mutex_);
  counters_.Follow(object.key(), object.uid(), status);
  rules_.insert_or_assign(object.key(), std::move(rule));
  table_ = nullptr;
}

void RuleBook::DeleteRule(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  counters_.Forget(name);
  rules_.erase(name);
  table_ = nullptr;
}

void RuleBook::UpsertEndpoint(const KubeObject& object) {
  absl::StatusOr<Endpoint> endpoint = ReadEndpoint(object);
  absl::MutexLock lock(&mutex_);
  if (endpoint.ok()) {
    endpoints_[object.key()] = *std::move(endpoint);
  } else {
    endpoints_.erase(object.key());
  }
  table_ = nullptr;
}

void RuleBook::DeleteEndpoint(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  endpoints_.erase(name);
  table_ = nullptr;
}

const Endpoint* RuleBook::FindEndpoint(const std::string& rule, const std::string& name) {
  const auto it = endpoints_.find(absl::StrCat(rule.substr(0, rule.find('/')), "/", name));
  return it == endpoints_.end() ? nullptr : &it->second;
}

absl::StatusOr<Route> RuleBook::RouteOf(const RuleSpec& rule) {
  SKERRY_ASSIGN_OR_RETURN(Route route, Resolve(rule, FindEndpoint(rule.name, rule.source),
                                               FindEndpoint(rule.name, rule.target)));
  if (route.target == EndpointType::kRest && targets_.has_value()) {
    SKERRY_ASSIGN_OR_RETURN(const HttpUrl url,
                            ParseHttpUrl("spec.targetResource.resource", route.url));
    if (!targets_->Allows("POST", url)) {
      return InvalidField("spec.targetResource.resource", route.url,
                          "use a URL that router-svc's setting delivery.targets allows")
          .Reason("TARGET_NOT_ALLOWED");
    }
  }
  return route;
}

void RuleBook::Refresh() {
  if (table_ != nullptr) return;
  std::vector<Route> routes;
  for (const auto& [name, rule] : rules_) {
    const absl::StatusOr<Route> route = rule.ok() ? RouteOf(*rule) : rule.status();
    counters_.SetFault(name, route.ok() ? "" : route.status().message());
    if (route.ok()) routes.push_back(*route);
  }
  metrics_.rules_valid.Set(static_cast<double>(routes.size()));
  metrics_.rules_invalid.Set(static_cast<double>(rules_.size() - routes.size()));
  table_ = std::make_shared<RouteTable>(std::move(routes));
}

std::shared_ptr<const RouteTable> RuleBook::Table() {
  absl::MutexLock lock(&mutex_);
  Refresh();
  return table_;
}

bool RuleBook::Exists(const std::string& rule) {
  absl::MutexLock lock(&mutex_);
  return rules_.count(rule) > 0;
}

void RuleBook::Succeeded(const std::string& rule, int64_t messages) {
  absl::MutexLock lock(&mutex_);
  counters_.Succeeded(rule, messages);
}

void RuleBook::Failed(const std::string& rule, absl::string_view error) {
  absl::MutexLock lock(&mutex_);
  counters_.Failed(rule, error);
}

std::vector<RuleCounters::Change> RuleBook::TakeStatus() {
  absl::MutexLock lock(&mutex_);
  Refresh();
  return counters_.Take();
}

void RuleBook::ReturnStatus(const RuleCounters::Change& change) {
  absl::MutexLock lock(&mutex_);
  counters_.Return(change);
}

}  // namespace skerry::router
