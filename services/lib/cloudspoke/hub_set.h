// All hubs that a controller is attached to, and the sessions of nodes there.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_SET_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_SET_H_

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/hub_client.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/cloudspoke/pusher.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::cloudspoke {

// What a controller does with what the hubs say. Called on the executor.
class HubListener {
 public:
  virtual ~HubListener() = default;
  // The node has a session, in which what was not answered in the one before comes again.
  virtual void OnNodeConnected(const std::string& node) = 0;
  virtual void OnNodeGone(const std::string& node) = 0;
  virtual void OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) = 0;
  virtual void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) = 0;
  virtual void OnHubs(size_t attached) = 0;
};

// Looks for hubs again and again from Start() on, has a stream to each, and feeds sessions, pusher
// and listener from them. References outlive Stop(), the executor's threads too.
class HubSet {
 public:
  struct Options {
    std::string spoke;  // "edge-controller-svc/<instance>".
    std::vector<std::string> resource_types;
    std::vector<std::string> report_types;
    std::vector<std::string> event_streams;
    size_t pending_bytes_max = 16u << 20;
    absl::Duration find_interval = absl::Seconds(5);
  };

  HubSet(Options options, HubSource& source, exec::SerialExecutor& executor, Sessions& sessions,
         Pusher& pusher, HubListener& listener, Clock& clock, HubMetrics& metrics, log::Logger log);
  ~HubSet();  // Stop().
  HubSet(const HubSet&) = delete;
  HubSet& operator=(const HubSet&) = delete;

  void Start();
  // Ends the streams; nothing is heard any more. Not from the executor. Idempotent.
  void Detach();
  // Detach(), and waits for a search for hubs, which may take long. Before the executor's.
  void Stop();

  // Any thread. What is for a hub that is not attached is dropped.
  void Send(const std::string& hub, cloudhub::v1::SpokeFrame frame);
  // For tunnels to the node: to the hub that it is connected to. Null where it is to none.
  std::shared_ptr<grpc::Channel> TunnelTo(const std::string& node) const;

 private:
  class Link;

  // Again and again, on the finder's thread.
  void FindHubs();
  std::shared_ptr<Link> MakeLink(const HubTarget& target);
  std::shared_ptr<Link> LinkOf(const std::string& hub) const;

  // On the executor.
  // Attaches to those that are new. Returns those that are named no more, for their end: a hub that
  // is attached goes on until it ends the stream, because its nodes may not have left it yet.
  std::vector<std::shared_ptr<Link>> SetHubs(const std::vector<HubTarget>& targets);
  void OnAttached(const std::string& hub);
  void OnLost(const std::string& hub);
  void OnFrame(const std::string& hub, const cloudhub::v1::HubFrame& frame);
  void OnConnected(const std::string& hub, const cloudhub::v1::NodeConnected& frame);
  void OnDisconnected(const std::string& hub, const cloudhub::v1::NodeDisconnected& frame);
  void CountNodes();

  const Options options_;
  HubSource& source_;
  exec::SerialExecutor& executor_;
  Sessions& sessions_;
  Pusher& pusher_;
  HubListener& listener_;
  Clock& clock_;
  HubMetrics& metrics_;
  log::Logger log_;
  mutable absl::Mutex mutex_;
  // By address. Changed on the executor.
  std::map<std::string, std::shared_ptr<Link>> links_ ABSL_GUARDED_BY(mutex_);
  bool ending_ = false;             // Of the executor: no link is added any more.
  std::set<std::string> attached_;  // Of the executor: links that are.
  exec::SerialExecutor finder_;     // Finding hubs may wait.
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_SET_H_
