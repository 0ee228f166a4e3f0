// What a shard knows of a connection; for the shard alone.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_NODE_SESSION_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_NODE_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/core/node_record.h"
#include "services/cloudhub-svc/sessions/ports.h"
#include "services/cloudhub-svc/sessions/sync_gate.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/link/cloud_session.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::cloudhub {

class NodeSession {
 public:
  NodeSession(LinkingBox linking, absl::string_view peer, std::shared_ptr<NodeLink> link,
              const link::CloudSession::Config& config, absl::Duration now)
      : box(std::move(linking)),
        node(box.node),
        peer(peer),
        link(std::move(link)),
        machine(config, now) {}

  LinkingBox box;
  const NodeName& node;
  const std::string peer;
  const std::shared_ptr<NodeLink> link;
  link::CloudSession machine;
  std::string software_version;
  std::string event_store_id;
  absl::Time connect_time;
  SyncGate::Id gate = 0;      // What it waits for at the gate, or has got; 0 for nothing.
  absl::Duration gate_asked;  // When it asked there.
  bool counted = false;       // As a session, by the metrics.
  std::atomic<bool> closed = false;
  uint64_t epoch_min = 0;  // Below, another replica has fenced it.
  size_t unsent_bytes = 0;
  std::map<uint64_t, std::shared_ptr<link::tunnel::UserPort>> tunnels;
  exec::SerialExecutor::TimerId timer = 0;
  absl::Duration timer_due = absl::InfiniteDuration();
};

struct NodeTunnel {
  std::weak_ptr<NodeSession> session;
  uint64_t id = 0;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_NODE_SESSION_H_
