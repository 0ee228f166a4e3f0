// Says how the node is: at the first connection, on change, and every five minutes.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_NODE_REPORTER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_NODE_REPORTER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/edged-svc/core/kube_event.h"
#include "services/edged-svc/core/node_status.h"
#include "services/lib/base/clock.h"

namespace skerry::edged {

// Used on one thread. Its owner calls Tick every ten seconds, which measures, and sends and tells
// what has changed.
class NodeReporter {
 public:
  struct Options {
    std::string name, version;
    NodeLimits limits;
    absl::Duration interval = absl::Minutes(5);
  };
  // send: gets the node's name and a serialized NodeReport.
  NodeReporter(Options options, Clock& clock, EventSink& events,
               std::function<void(const std::string& name, const std::string& value)> send)
      : options_(std::move(options)), clock_(clock), events_(events), send_(std::move(send)) {}

  // force: also where nothing has changed.
  void Tick(const NodeFacts& facts, bool force);

 private:
  const Options options_;
  Clock& clock_;
  EventSink& events_;
  const std::function<void(const std::string&, const std::string&)> send_;
  std::vector<NodeCondition> conditions_;
  std::string sent_;                                    // Without heartbeats.
  absl::Duration sent_at_ = -absl::InfiniteDuration();  // By the monotonic clock.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_NODE_REPORTER_H_
