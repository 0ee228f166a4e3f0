// What the other replicas do with nodes.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_WATCH_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/model/names.h"
#include "services/lib/postgres/listener.h"
#include "services/lib/postgres/pool.h"

namespace skerry::cloudhub {

struct NodeState {
  NodeName node;
  uint64_t session_epoch = 0;  // Of its newest session, at whichever replica.
  bool disabled = false;
};

// Follows hub_nodes in the database that the replicas share. A change is told within milliseconds
// of its commit; one whose announcement was lost, within 5 s while the database is there, and all
// of them as soon as it is there again. What has not changed may be told again.
//
// on_state is called on a thread of its own, until the destructor returns. `pool` and `registry`
// outlive it.
class NodeWatch {
 public:
  using OnState = std::function<void(const NodeState& state)>;

  NodeWatch(postgres::Pool& pool, OnState on_state, metrics::Registry& registry, log::Logger log);

 private:
  absl::Status Read(bool all);
  absl::Status Hear(const std::vector<std::string>& payloads);
  absl::Status Tell(const std::string& node, uint64_t session_epoch, bool disabled);

  postgres::Pool& pool_;
  const OnState on_state_;
  prometheus::Gauge& listens_;
  postgres::Listener listener_;  // Last: its thread uses the rest.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_WATCH_H_
