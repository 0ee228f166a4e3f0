// What a rule's status says: how many messages went through it, and what went wrong last.
#ifndef SKERRY_SERVICES_ROUTER_SVC_CORE_RULE_COUNTERS_H_
#define SKERRY_SERVICES_ROUTER_SVC_CORE_RULE_COUNTERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::router {

struct RuleStatus {
  int64_t success_messages = 0;
  int64_t fail_messages = 0;
  std::string error;  // The last one; empty: none.
  bool operator==(const RuleStatus&) const = default;
};

// Of all rules. A rule goes on from the status that its object had when it was first seen. One
// thread at a time.
class RuleCounters {
 public:
  // A rule is there, with this status in its object. Another uid is another rule. What it says
  // later is our own.
  void Follow(const std::string& rule, const std::string& uid, const RuleStatus& status);
  void Forget(const std::string& rule);

  // Of rules that are followed; others are not counted.
  void Succeeded(const std::string& rule, int64_t messages = 1);
  void Failed(const std::string& rule, absl::string_view error);
  // What is wrong with the rule itself; empty: it is right (again), and an error of that kind goes.
  // No message failed.
  void SetFault(const std::string& rule, absl::string_view fault);

  struct Change {
    std::string rule;
    std::string uid;
    RuleStatus status;
  };
  // Those that differ from what was written, which they count as from now on.
  std::vector<Change> Take();
  // Writing it failed: it is taken again.
  void Return(const Change& change);

 private:
  struct Entry {
    std::string uid;
    RuleStatus now;
    RuleStatus written;
    bool fault = false;  // `now.error` is one.
  };
  std::map<std::string, Entry> rules_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_CORE_RULE_COUNTERS_H_
