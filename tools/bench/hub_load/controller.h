// A simulated controller: owns the types of the nodes, pushes objects, takes reports.
#ifndef SKERRY_TOOLS_BENCH_HUB_LOAD_CONTROLLER_H_
#define SKERRY_TOOLS_BENCH_HUB_LOAD_CONTROLLER_H_

#include <grpcpp/security/credentials.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "services/lib/rpc/stream.h"
#include "tools/bench/hub_load/event_loop.h"
#include "tools/bench/hub_load/fleet.h"

namespace skerry::bench {

// Has nothing for the nodes before Send, but for the one after them, which is hostile: for this it
// has objects at once. Answers the hub on gRPC's threads and dials again when the hub is gone. All
// public functions on the loop's thread; `loop` outlives it, and it lives until the process ends.
class Controller final : public Path {
 public:
  struct Options {
    std::string address;
    std::string state_dir;    // The hub's: it wrote a controller's certificate there.
    std::string name_prefix;  // Of its nodes.
    int nodes = 0;
  };

  static absl::StatusOr<std::unique_ptr<Controller>> Create(EventLoop& loop,
                                                            const Options& options);

  // A new version of some pod of the node; answered when the node has stored it.
  void Send(int node, absl::string_view payload) override;
  void Observe(Answered answered) override { answered_ = std::move(answered); }

 private:
  struct NodeState {
    uint64_t epoch = 0;
    uint64_t subscription_id = 0;  // Of pods.
    uint64_t version = 0;
    std::deque<std::pair<uint64_t, absl::Duration>> pushed;  // Version, time.
  };

  Controller(EventLoop& loop, const Options& options,
             std::shared_ptr<grpc::ChannelCredentials> credentials);

  void Dial();
  void Handle(const cloudhub::v1::HubFrame& frame);
  void OnSubscribed(const cloudhub::v1::Subscribed& message);
  // Objects that the hostile node never acknowledges.
  void PushToHostile(const cloudhub::v1::Subscribed& message);
  void OnPushDone(const cloudhub::v1::PushDone& message);
  void Reply(cloudhub::v1::SpokeFrame frame);

  EventLoop& loop_;
  const Options options_;
  const NodeNames names_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  Answered answered_;
  absl::Mutex mutex_;
  std::shared_ptr<rpc::Stream<cloudhub::v1::SpokeFrame>> stream_ ABSL_GUARDED_BY(mutex_);
  std::vector<NodeState> nodes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::bench

#endif  // SKERRY_TOOLS_BENCH_HUB_LOAD_CONTROLLER_H_
