// Which URLs local programs may post for.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_TARGET_URLS_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_TARGET_URLS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/servicebus-svc/metrics.h"

namespace skerry::servicebus {

inline constexpr char kRules[] = "rules.rules.kubeedge.io";

// Those of the settings, and those of the box's rules, which edge-meta-svc holds, with or without
// the cloud. Any thread may ask; the rest is called on the meta client's executor.
class TargetUrls final : public metaclient::MetaListener {
 public:
  TargetUrls(const std::vector<std::string>& fixed, ServiceBusMetrics& metrics)
      : fixed_(fixed.begin(), fixed.end()), metrics_(metrics) {}

  bool Has(const std::string& url) const;

  // A rule of another kind, or one that can't be read, has none.
  void OnObject(const std::string& type, const std::string& key, const std::string& json) override;
  void OnObjectDeleted(const std::string& type, const std::string& key) override;
  void OnSynced() override {}
  void OnConnected(bool connected) override;
  void OnReportSent(bool) override {}  // It hands in none.

 private:
  void Set(const std::string& rule, std::string url);

  const std::set<std::string> fixed_;
  ServiceBusMetrics& metrics_;
  mutable absl::Mutex mutex_;
  std::map<std::string, std::string> of_rules_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_TARGET_URLS_H_
