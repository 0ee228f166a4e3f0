#include "services/servicebus-svc/runner/target_urls.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "services/lib/kubeapi/json.h"

namespace skerry::servicebus {

bool TargetUrls::Has(const std::string& url) const {
  if (fixed_.count(url) > 0) return true;
  absl::ReaderMutexLock lock(&mutex_);
  return std::any_of(of_rules_.begin(), of_rules_.end(),
                     [&url](const auto& rule) { return rule.second == url; });
}

void TargetUrls::OnObject(const std::string&, const std::string& key, const std::string& json) {
  const auto object = kubeapi::ParseJson(json);
  Set(key, object.ok() ? kubeapi::StringAt(*object, {"spec", "sourceResource", "target_url"}) : "");
}

void TargetUrls::OnObjectDeleted(const std::string&, const std::string& key) { Set(key, ""); }

void TargetUrls::OnConnected(bool connected) { metrics_.meta_connected.Set(connected ? 1 : 0); }

void TargetUrls::Set(const std::string& rule, std::string url) {
  absl::MutexLock lock(&mutex_);
  if (url.empty()) {
    of_rules_.erase(rule);
  } else {
    of_rules_[rule] = std::move(url);
  }
  metrics_.target_urls.Set(static_cast<double>(fixed_.size() + of_rules_.size()));
}

}  // namespace skerry::servicebus
