// All simulated nodes, and how they are doing.
#ifndef SKERRY_TOOLS_BENCH_HUB_LOAD_FLEET_H_
#define SKERRY_TOOLS_BENCH_HUB_LOAD_FLEET_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/hub_load/event_loop.h"
#include "tools/bench/hub_load/grpc_stream.h"
#include "tools/bench/hub_load/node.h"

namespace skerry::bench {

// The names of the nodes in their certificates.
class NodeNames {
 public:
  explicit NodeNames(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string Of(int number) const;
  // -1 for other names.
  int NumberOf(absl::string_view name) const;

 private:
  const std::string prefix_;
};

// What a load is sent through, and tells when it is answered: nodes upwards, the controller
// downwards. On the loop's thread.
class Path {
 public:
  using Answered = std::function<void(int node, absl::Duration latency)>;

  virtual ~Path() = default;
  virtual void Send(int node, absl::string_view payload) = 0;
  // Null: nobody wants to know.
  virtual void Observe(Answered answered) = 0;
};

// On the loop's thread. `loop` outlives it.
class Fleet final : public Path, private NodeObserver {
 public:
  struct Options {
    std::string target;     // "127.0.0.1:10000"
    std::string state_dir;  // The hub's: its CA issues the nodes' certificates.
    int nodes = 0;
    std::string name_prefix;  // Of the nodes.
    bool echo = false;        // Nodes of a server that echoes, instead of the link's.
  };

  static absl::StatusOr<std::unique_ptr<Fleet>> Create(EventLoop& loop, const Options& options);

  // Starts the nodes, at most `parallel` of them on their way at a time: false where they are not
  // all in sync within `limit`.
  bool Connect(int parallel, absl::Duration limit);
  // Waits until all nodes have lost their connection and are in sync again: the seconds that each
  // took from the first loss on, sorted. DEADLINE_EXCEEDED after `limit`.
  absl::StatusOr<std::vector<double>> Storm(absl::Duration limit);
  void Stop();

  // One more node of a hub is hostile from here on, in all these ways at once, each on a connection
  // of its own; of none: it is gone.
  void BeHostile(const std::vector<Hostility>& kinds);

  int in_sync() const { return in_sync_; }
  // Times that a node lost its connection.
  int lost() const { return lost_; }
  TcpBytes tcp() const;

  void Send(int node, absl::string_view payload) override { nodes_[node]->Send(payload); }
  void Observe(Answered answered) override { answered_ = std::move(answered); }

 private:
  Fleet(EventLoop& loop, StreamTarget target) : loop_(loop), target_(std::move(target)) {}

  void OnInSync(int node) override;
  void OnLost(int node) override;
  void OnAnswered(int node, absl::Duration latency) override;

  EventLoop& loop_;
  const StreamTarget target_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::optional<NodeParts> hostile_parts_;  // Null: echo.
  std::vector<std::unique_ptr<Node>> hostile_;
  Answered answered_;
  int in_sync_ = 0;
  int lost_ = 0;
  absl::Duration first_lost_ = absl::InfiniteDuration();
  std::vector<absl::Duration> in_sync_at_;  // By node.
};

}  // namespace skerry::bench

#endif  // SKERRY_TOOLS_BENCH_HUB_LOAD_FLEET_H_
