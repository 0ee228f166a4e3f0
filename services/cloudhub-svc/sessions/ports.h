// What the session hub asks of its transports: a link to a node, and a stream to a spoke.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_PORTS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_PORTS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/cloud_events.h"
#include "services/lib/link/frames.h"

namespace skerry::cloudhub {

// Any thread may call these; none blocks. After the transport has ended nothing happens.
class NodeLink {
 public:
  virtual ~NodeLink() = default;
  virtual void Send(link::CloudFrame frame) = 0;
  // After what was sent.
  virtual void Close(absl::Status status) = 0;
  // Calls `drained`, once, when all that was sent has been taken. One at a time.
  virtual void AwaitDrained(std::function<void()> drained) = 0;
};

// A message for a spoke, and the session that it speaks of.
struct SpokeMessage {
  std::string node;
  uint64_t epoch = 0;
  absl::Time connect_time;
  std::string software_version;
  std::string peer;
  std::string event_store_id;
  link::cloud::SpokeMessage body;
};

class SpokeLink {
 public:
  virtual ~SpokeLink() = default;
  virtual void Send(SpokeMessage message) = 0;
  // Every node that is connected has been named.
  virtual void SendNodesSynced() = 0;
  virtual void Close(absl::Status status) = 0;
};

// A hub, as an operator sees it.
struct HubState {
  bool draining = false;
  int sessions = 0;
  // Nodes that were asked to go and have not been seen at another replica yet; some of their names.
  int moving = 0;
  std::vector<std::string> moving_nodes;
};

// One session, as an operator sees it.
struct SessionInfo {
  std::string node;
  uint64_t epoch = 0;
  absl::Time connect_time;
  absl::Time last_receive_time;
  std::string peer;
  std::string software_version;
  int64_t pending_bytes = 0;
  std::vector<std::string> subscribed_types;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_PORTS_H_
