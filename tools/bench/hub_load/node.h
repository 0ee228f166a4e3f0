// One simulated node: dials, comes in sync, sends, and dials again when it is cut off.
#ifndef SKERRY_TOOLS_BENCH_HUB_LOAD_NODE_H_
#define SKERRY_TOOLS_BENCH_HUB_LOAD_NODE_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/hub_load/event_loop.h"
#include "tools/bench/hub_load/grpc_stream.h"

namespace skerry::bench {

class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void OnInSync(int node) = 0;
  virtual void OnLost(int node) = 0;
  // What Send() sent is done with; in order.
  virtual void OnAnswered(int node, absl::Duration latency) = 0;
};

// What a node is made of. The references outlive it.
struct NodeParts {
  int number = 0;
  EventLoop& loop;
  const StreamTarget& target;
  NodeObserver& observer;
  std::string certificate_der;
};

// On the loop's thread.
class Node {
 public:
  virtual ~Node() = default;
  virtual void Start() = 0;
  // For good.
  virtual void Stop() = 0;
  virtual void Send(absl::string_view payload) = 0;
  virtual TcpBytes tcp() const = 0;
};

// Speaks the link with the machine of edgehub-svc; Send() makes reports.
std::unique_ptr<Node> MakeLinkNode(NodeParts parts);
// Of a server that sends everything back: dials with the same back-off, sends heartbeats as often.
std::unique_ptr<Node> MakeEchoNode(NodeParts parts);

// What a hostile node does in each of its sessions, over and over.
enum class Hostility {
  kHugeFrames,  // Sends one that is larger than any may be.
  kNeverAcks,   // Subscribes, acknowledges nothing of what comes, and subscribes anew.
  kReconnects,  // Leaves at once, and dials as often as it can.
  kGarbage,     // Sends what is no frame.
};
// Tells its observer nothing.
std::unique_ptr<Node> MakeHostileNode(NodeParts parts, Hostility kind);

}  // namespace skerry::bench

#endif  // SKERRY_TOOLS_BENCH_HUB_LOAD_NODE_H_
