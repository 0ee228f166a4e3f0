#include "services/edged-svc/runner/node_reporter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/edged/v1/report.pb.h"

namespace skerry::edged {

void NodeReporter::Tick(const NodeFacts& facts, bool force) {
  const absl::Duration now = clock_.Monotonic();
  const std::vector<NodeCondition> before =
      std::exchange(conditions_, NodeConditions(facts, options_.limits, conditions_, clock_.Now()));
  for (const std::string& reason : NodeConditionEvents(before, conditions_)) {
    events_.Record(AboutNode(options_.name), EventType::kNormal, reason,
                   absl::StrCat("Node ", options_.name, " status is now: ", reason));
  }
  std::vector<NodeCondition> still = conditions_;
  for (NodeCondition& c : still) c.heartbeat = absl::UnixEpoch();
  std::string content = NodeStatusJson(facts, options_.limits, still, options_.version);
  if (!force && content == sent_ && now - sent_at_ < options_.interval) return;
  sent_ = std::move(content);
  sent_at_ = now;
  v1::NodeReport report;
  report.set_status_json(NodeStatusJson(facts, options_.limits, conditions_, options_.version));
  for (const auto& [key, value] : NodeLabels(facts)) (*report.mutable_labels())[key] = value;
  send_(options_.name, report.SerializeAsString());
}

}  // namespace skerry::edged
