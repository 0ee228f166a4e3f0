// The way down: what the Kubernetes API holds becomes what the nodes hold.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_DOWNSTREAM_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_DOWNSTREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/edge-controller-svc/adapters/event_recorder.h"
#include "services/edge-controller-svc/core/interest.h"
#include "services/edge-controller-svc/core/subscription.h"
#include "services/edge-controller-svc/metrics.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"

namespace skerry::edgecontroller {

// A hub as the way down uses it.
class HubLink {
 public:
  virtual ~HubLink() = default;
  virtual bool Send(cloudhub::v1::SpokeFrame frame) = 0;
  virtual size_t pending_bytes() const = 0;
};

// Owns the interest index and every node's subscriptions; all of it lives on the executor. The
// nodes of a hub take turns, one push each and as many bytes each, while the hub reads: a node with
// much to send delays no other. Methods of the first group come from informers and wait for the
// executor (so a long list can't pile up there); those of the second group are called on the
// executor. References outlive it.
class Downstream {
 public:
  using Cache =
      std::function<std::optional<KubeObject>(absl::string_view type, absl::string_view key)>;

  Downstream(exec::SerialExecutor& executor, Cache cache, EventRecorder& events,
             EdgeControllerMetrics& metrics, log::Logger log);

  // From informers, after their cache changed; they wait until it is taken in.
  void PodUpserted(const KubeObject& pod);
  void PodDeleted(const KubeObject& pod);
  void ServiceAccountUpserted(const KubeObject& account);
  void ServiceAccountDeleted(const KubeObject& account);
  void ObjectChanged(absl::string_view type, absl::string_view key);

  // On the executor.
  void HubAttached(const std::string& hub, HubLink& link);
  void HubLost(const std::string& hub);
  void Drained(const std::string& hub);
  void NodeConnected(const std::string& hub, const std::string& node, uint64_t epoch);
  void NodeDisconnected(const std::string& hub, const std::string& node, uint64_t epoch);
  void Subscribed(const std::string& hub, const cloudhub::v1::Subscribed& frame);
  void Unsubscribed(const std::string& hub, const cloudhub::v1::Unsubscribed& frame);
  void PushDone(const std::string& hub, const cloudhub::v1::PushDone& frame);
  std::vector<std::string> PodsOfNode(const std::string& node) const;

 private:
  struct Node {
    uint64_t epoch = 0;
    std::map<std::string, Subscription> subscriptions;  // By type.
    bool queued = false;
    int64_t credit = 0;  // Bytes that it may be sent when it is its turn; below zero, it waits.
  };
  struct Hub {
    HubLink* link = nullptr;
    std::map<std::string, Node> nodes;
    std::deque<std::string> turns;  // Nodes with something to send.
    bool pumping = false;           // A pump is posted.
  };

  // The node of a frame, if its session is the current one.
  Node* Current(const std::string& hub, const cloudhub::v1::NodeSession& session);
  void Apply(const std::vector<Interest::Change>& changes);
  void Touch(const std::string& node, const ObjectRef& ref);
  void Queue(const std::string& hub_name, Hub& hub, const std::string& node_name, Node& node);
  void SchedulePump(const std::string& hub_name, Hub& hub);
  void Pump(const std::string& hub_name);
  // Sends one push of the node, of the first type that has work.
  void SendNext(Hub& hub, const std::string& node_name, Node& node);
  // False where the subscription had nothing to say after all.
  bool SendOf(Hub& hub, const std::string& node_name, Node& node, const std::string& type,
              Subscription& subscription);
  void SendPush(Hub& hub, const std::string& node_name, Node& node, const std::string& type,
                uint64_t id, const Push& push);
  std::optional<Desired> Lookup(const std::string& node, const std::string& type,
                                const std::string& key) const;

  exec::SerialExecutor& executor_;
  const Cache cache_;
  EventRecorder& events_;
  EdgeControllerMetrics& metrics_;
  log::Logger log_;
  Interest interest_;
  std::map<std::string, Hub> hubs_;
  std::map<std::string, std::vector<std::string>>
      node_hubs_;  // Node -> hubs where it has a session.
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_DOWNSTREAM_H_
