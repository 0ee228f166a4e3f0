#include "services/router-svc/core/rule_counters.h"

namespace skerry::router {
namespace {

constexpr size_t kErrorBytesMax = 1024;

}  // namespace

void RuleCounters::Follow(const std::string& rule, const std::string& uid,
                          const RuleStatus& status) {
  Entry& entry = rules_[rule];
  if (entry.uid == uid) return;
  entry = {.uid = uid, .now = status, .written = status};
}

void RuleCounters::Forget(const std::string& rule) { rules_.erase(rule); }

void RuleCounters::Succeeded(const std::string& rule, int64_t messages) {
  const auto it = rules_.find(rule);
  if (it != rules_.end()) it->second.now.success_messages += messages;
}

void RuleCounters::Failed(const std::string& rule, absl::string_view error) {
  const auto it = rules_.find(rule);
  if (it == rules_.end()) return;
  ++it->second.now.fail_messages;
  it->second.now.error = std::string(error.substr(0, kErrorBytesMax));
  it->second.fault = false;
}

void RuleCounters::SetFault(const std::string& rule, absl::string_view fault) {
  const auto it = rules_.find(rule);
  if (it == rules_.end()) return;
  Entry& entry = it->second;
  if (fault.empty()) {
    if (entry.fault) entry.now.error.clear();
    entry.fault = false;
    return;
  }
  entry.now.error = std::string(fault.substr(0, kErrorBytesMax));
  entry.fault = true;
}

std::vector<RuleCounters::Change> RuleCounters::Take() {
  std::vector<Change> changes;
  for (auto& [rule, entry] : rules_) {
    if (entry.now == entry.written) continue;
    changes.push_back({.rule = rule, .uid = entry.uid, .status = entry.now});
    entry.written = entry.now;
  }
  return changes;
}

void RuleCounters::Return(const Change& change) {
  const auto it = rules_.find(change.rule);
  // No number of messages: it differs from whatever there is now.
  if (it != rules_.end() && it->second.uid == change.uid) it->second.written.success_messages = -1;
}

}  // namespace skerry::router
