// Keeps what Kubernetes thinks of each node true: lease while connected, Unknown when lost, pods of
// deleted nodes.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_NODE_KEEPER_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_NODE_KEEPER_H_

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edge-controller-svc/core/node_plan.h"
#include "services/edge-controller-svc/metrics.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::edgecontroller {

// Two controllers keyed by node. Any thread may call it. References outlive Stop().
class NodeKeeper {
 public:
  struct Options {
    size_t workers = 4;
    absl::Duration lease_interval = absl::Seconds(10);
    absl::Duration lease_duration = absl::Seconds(40);
    absl::Duration lost_after = absl::Seconds(40);
    bool pod_gc = true;
    absl::Duration pod_gc_after = absl::Seconds(40);
    KubeletEndpoint kubelet;
  };
  struct Views {
    std::function<std::optional<KubeObject>(const std::string& name)> node;
    std::function<std::optional<KubeObject>(const std::string& key)> pod;
    std::function<std::vector<std::string>(const std::string& node)> pods_of_node;
    // Applies the node's last report again.
    std::function<absl::Status(const std::string& node)> reapply;
  };

  NodeKeeper(Options options, kubeclient::Client& client, Views views,
             cloudspoke::Sessions& sessions, Clock& clock, EdgeControllerMetrics& metrics,
             log::Logger log);

  // When nodes can be heard: from here on silence is loss.
  void Start();
  void Stop();  // Cancels calls in progress. Idempotent.

  // The node's session, or its Node, changed.
  void NodeChanged(const std::string& node) { nodes_.Add(node); }
  // A pod is bound to this node, which may not exist (any more).
  void CheckNodeExists(const std::string& node);

 private:
  absl::StatusOr<reconcile::Outcome> ReconcileNode(const std::string& node);
  absl::Status PublishKubelet(const std::string& node, const KubeObject& object);
  absl::Status RenewLease(const std::string& node, const KubeObject& object);
  absl::Status WriteLease(const std::string& node, const KubeObject& object,
                          const std::optional<KubeObject>& lease);
  // Whether its lease goes on without us: KubeEdge's cloudcore, or a kubelet, beside us. No clock
  // is compared: what was seen the last time is, so a lease that is there is looked at twice.
  absl::StatusOr<bool> IsKeptByOthers(const std::string& node);
  absl::Status MarkLost(const std::string& node);
  absl::StatusOr<reconcile::Outcome> CollectPods(const std::string& node);
  kubeclient::CallOptions Call() const { return {.stop = stop_.get_token()}; }

  const Options options_;
  kubeclient::Client& client_;
  const Views views_;
  cloudspoke::Sessions& sessions_;
  Clock& clock_;
  EdgeControllerMetrics& metrics_;
  log::Logger log_;
  absl::Duration
      started_;  // Set before the workers start. The silence of nodes never seen counts from here.
  std::stop_source stop_;
  absl::Mutex mutex_;
  struct HeldLease {
    KubeObject object;
    absl::Duration renewed;
  };
  std::map<std::string, HeldLease> leases_ ABSL_GUARDED_BY(mutex_);  // Of connected nodes.
  // Versions of the leases of nodes that are not, as they were seen last.
  std::map<std::string, std::string> seen_leases_ ABSL_GUARDED_BY(mutex_);
  reconcile::Controller nodes_;
  reconcile::Controller pod_gc_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_NODE_KEEPER_H_
