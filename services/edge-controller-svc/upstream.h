// The way up: reports of nodes become status in the Kubernetes API.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_H_

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/edge-controller-svc/core/node_plan.h"
#include "services/edge-controller-svc/core/pod_plan.h"
#include "services/edge-controller-svc/metrics.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/report_applier.h"
#include "services/lib/cloudspoke/report_inbox.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"

namespace skerry::edgecontroller {

// What a report means is in core/; who waits, and is answered when, is the ReportApplier's.
// OnReport and SessionEnded: any thread. References outlive Stop().
class Upstream final : private cloudspoke::ReportTarget {
 public:
  struct Options {
    size_t workers = 8;
    size_t bytes_max_per_node = 8u << 20;
    absl::Duration backoff_max = absl::Seconds(30);
    KubeletEndpoint kubelet;
  };
  using Cache =
      std::function<std::optional<KubeObject>(absl::string_view type, absl::string_view key)>;
  using Answer = cloudspoke::ReportApplier::Answer;

  Upstream(Options options, kubeclient::Client& client, Cache cache, cloudspoke::Sessions& sessions,
           Answer answer, Clock& clock, EdgeControllerMetrics& metrics, log::Logger log);

  void Start() { applier_.Start(); }
  void Stop();  // Cancels calls in progress. Idempotent.

  void OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) {
    applier_.OnReport(hub, frame);
  }
  void SessionEnded(const std::string& node) { applier_.SessionEnded(node); }
  // Applies the last report of a connected node again: its Node was marked lost though its session
  // held.
  absl::Status ReapplyNode(const std::string& node);
  // The Node object was deleted.
  void ForgetNode(const std::string& node);

 private:
  // What became of a report: a metric label.
  using Applied = absl::StatusOr<std::string>;

  Applied Apply(const cloudspoke::InboxReport& report) override;
  bool IsFinal(const absl::Status& status) const override;
  void Count(absl::string_view type, absl::string_view result) override;
  Applied ApplyPod(const cloudspoke::InboxReport& report);
  absl::StatusOr<bool> WritePod(const std::string& object_namespace, const std::string& name,
                                const PodPlan& plan);
  Applied ApplyNode(const std::string& node, const NodeReportValue& report);
  absl::StatusOr<std::optional<KubeObject>> Read(absl::string_view type,
                                                 const kubeclient::Resource& resource,
                                                 absl::string_view object_namespace,
                                                 absl::string_view name, bool live);
  kubeclient::CallOptions Call() const { return {.stop = stop_.get_token()}; }

  const KubeletEndpoint kubelet_;
  kubeclient::Client& client_;
  const Cache cache_;
  cloudspoke::Sessions& sessions_;
  EdgeControllerMetrics& metrics_;
  log::Logger log_;
  std::stop_source stop_;
  absl::Mutex mutex_;
  std::map<std::string, NodeReportValue> last_node_reports_ ABSL_GUARDED_BY(mutex_);
  cloudspoke::ReportApplier applier_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_H_
