// The rules as they are now.
#ifndef SKERRY_SERVICES_ROUTER_SVC_RUNNER_RULE_BOOK_H_
#define SKERRY_SERVICES_ROUTER_SVC_RUNNER_RULE_BOOK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/model/kube_object.h"
#include "services/router-svc/core/route_table.h"
#include "services/router-svc/core/rule.h"
#include "services/router-svc/core/rule_counters.h"
#include "services/router-svc/metrics.h"

namespace skerry::router {

// Fed by the informers; makes a table of routes of them when one is asked for, and knows what each
// rule's status is to say. Any thread may call it.
class RuleBook {
 public:
  // `targets`: where rules may post to; a rule to another URL is not valid. Absent: anywhere.
  RuleBook(std::optional<HttpAllowList> targets, RouterMetrics& metrics)
      : targets_(std::move(targets)), metrics_(metrics) {}

  void UpsertRule(const KubeObject& object);
  void DeleteRule(const std::string& name);
  void UpsertEndpoint(const KubeObject& object);
  void DeleteEndpoint(const std::string& name);

  std::shared_ptr<const RouteTable> Table();
  // Whether there is such a rule, also one that is not valid (now).
  bool Exists(const std::string& rule);

  void Succeeded(const std::string& rule, int64_t messages);
  void Failed(const std::string& rule, absl::string_view error);
  // As RuleCounters, with the faults of rules that are not valid.
  std::vector<RuleCounters::Change> TakeStatus();
  void ReturnStatus(const RuleCounters::Change& change);

 private:
  const Endpoint* FindEndpoint(const std::string& rule, const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Route> RouteOf(const RuleSpec& rule) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::optional<HttpAllowList> targets_;
  RouterMetrics& metrics_;
  absl::Mutex mutex_;
  std::map<std::string, absl::StatusOr<RuleSpec>> rules_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Endpoint> endpoints_ ABSL_GUARDED_BY(mutex_);  // Valid ones.
  RuleCounters counters_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const RouteTable> table_ ABSL_GUARDED_BY(mutex_);  // Null: something changed.
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_RUNNER_RULE_BOOK_H_
