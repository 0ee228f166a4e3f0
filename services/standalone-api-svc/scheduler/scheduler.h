// Binds pods to nodes.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_SCHEDULER_SCHEDULER_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_SCHEDULER_SCHEDULER_H_

#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/standalone-api-svc/scheduler/fit.h"

namespace skerry::standaloneapi {

// Watches pods and nodes through the API and binds each pod without a node (schedulerName
// default-scheduler) to one that fits, else says why not in its condition PodScheduled and in an
// event. Works on a thread of its own. Client, clock and registry outlive it.
class Scheduler {
 public:
  Scheduler(kubeapi::LocalClient& client, Clock& clock, metrics::Registry& registry,
            log::Logger log);
  ~Scheduler();  // Stop().

  void Start();
  void Stop();

 private:
  struct PodState {
    std::string node;       // Empty: not bound.
    bool finished = false;  // Takes no room any more.
    kubeapi::Json waiting;  // The whole pod while it waits for a node; else null.
    std::string told;       // What its condition said last.
  };

  void WatchPods();
  void WatchNodes();
  void OnPod(absl::string_view type, kubeapi::Json pod);
  void OnNode(absl::string_view type, const kubeapi::Json& node);
  // Runs one pass soon; many changes make one pass.
  void Wake();
  void Pass();
  // False: try again later.
  bool Schedule(const std::string& key, PodState& state, std::vector<NodeInfo>& nodes);
  bool Bind(const kubeapi::Json& pod, const std::string& node);
  bool SayUnschedulable(const kubeapi::Json& pod, const std::string& message);
  void Record(const kubeapi::Json& pod, absl::string_view type, absl::string_view reason,
              absl::string_view message);

  kubeapi::LocalClient& client_;
  Clock& clock_;
  const log::Logger log_;
  prometheus::Counter& bound_;
  prometheus::Counter& unschedulable_;
  prometheus::Counter& failed_;
  exec::SerialExecutor executor_;
  // Executor only.
  std::map<std::string, PodState> pods_;  // By "namespace/name".
  std::map<std::string, NodeInfo> nodes_;
  std::unique_ptr<kubeapi::LocalClient::WatchHandle> pod_watch_;
  std::unique_ptr<kubeapi::LocalClient::WatchHandle> node_watch_;
  bool awake_ = false;
};

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_SCHEDULER_SCHEDULER_H_
