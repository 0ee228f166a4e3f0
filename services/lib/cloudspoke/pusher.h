// The way down: what its owner holds becomes what the nodes hold.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_PUSHER_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_PUSHER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/cloudspoke/subscription.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"

namespace skerry::cloudspoke {

// A hub as the way down uses it.
class HubLink {
 public:
  virtual ~HubLink() = default;
  virtual bool Send(cloudhub::v1::SpokeFrame frame) = 0;
  virtual size_t pending_bytes() const = 0;
};

// What there is and who needs it. Called on the pusher's executor.
class PushSource {
 public:
  virtual ~PushSource() = default;
  virtual bool Needs(const std::string& node, const std::string& type,
                     const std::string& key) const = 0;
  virtual std::vector<std::string> KeysNeeded(const std::string& node,
                                              const std::string& type) const = 0;
  // The object as it is now; null where the node needs it not, or it does not exist.
  virtual std::optional<Desired> Lookup(const std::string& node, const std::string& type,
                                        const std::string& key) const = 0;
  // The node refused an object.
  virtual void Refused(const std::string& node, const std::string& type, const std::string& key,
                       const std::string& why) = 0;
  // The object is beyond what the link carries, and was not sent.
  virtual void TooLarge(const std::string& node, const KubeObject& object, size_t bytes_max) = 0;
};

// Owns every node's subscriptions; all of it lives on the executor, and every method is called
// there. The nodes of a hub take turns, one push each and as many bytes each, while the hub reads:
// a node with much to send delays no other. References outlive it.
class Pusher {
 public:
  struct Options {
    // The types that are served, in the order in which they are sent: what others refer to before
    // those, so that they seldom wait on the box.
    std::vector<std::string> types;
    // What a node needs no more of this type goes before all else: it never runs on without what it
    // refers to.
    std::string first_removed;
  };

  Pusher(Options options, exec::SerialExecutor& executor, PushSource& source, HubMetrics& metrics,
         log::Logger log);

  void HubAttached(const std::string& hub, HubLink& link);
  void HubLost(const std::string& hub);
  void Drained(const std::string& hub);
  void NodeConnected(const std::string& hub, const std::string& node, uint64_t epoch);
  void NodeDisconnected(const std::string& hub, const std::string& node, uint64_t epoch);
  void Subscribed(const std::string& hub, const cloudhub::v1::Subscribed& frame);
  void Unsubscribed(const std::string& hub, const cloudhub::v1::Unsubscribed& frame);
  void PushDone(const std::string& hub, const cloudhub::v1::PushDone& frame);

  // An object of the node changed, or the node's need for it.
  void Touch(const std::string& node, const std::string& type, const std::string& key);

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

  bool IsServed(absl::string_view type) const;
  // The node of a frame, if its session is the current one.
  Node* Current(const std::string& hub, const cloudhub::v1::NodeSession& session);
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

  const Options options_;
  exec::SerialExecutor& executor_;
  PushSource& source_;
  HubMetrics& metrics_;
  log::Logger log_;
  std::map<std::string, Hub> hubs_;
  std::map<std::string, std::vector<std::string>>
      node_hubs_;  // Node -> hubs where it has a session.
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_PUSHER_H_
