#include "services/edge-controller-svc/upstream.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "api/skerry/edged/v1/report.pb.h"
#include "services/edge-controller-svc/core/object_ref.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/reconcile/queue.h"

namespace skerry::edgecontroller {
namespace {

using kubeclient::PatchType;

constexpr int kConflictRetries = 5;

Error Malformed(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, what).Reason("REPORT_MALFORMED");
}

}  // namespace

Upstream::Upstream(Options options, kubeclient::Client& client, Cache cache,
                   cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                   EdgeControllerMetrics& metrics, log::Logger log)
    : kubelet_(options.kubelet),
      client_(client),
      cache_(std::move(cache)),
      sessions_(sessions),
      metrics_(metrics),
      log_(log),
      applier_({.workers = options.workers,
                .bytes_max_per_node = options.bytes_max_per_node,
                .backoff_max = options.backoff_max},
               *this, sessions, std::move(answer), clock, metrics.report_controller, metrics.hubs,
               log) {}

void Upstream::Stop() {
  stop_.request_stop();
  applier_.Stop();
}

// What the API server says about *us* (403, 401) is not the report's fault: an operator mends it.
bool Upstream::IsFinal(const absl::Status& status) const {
  return reconcile::IsTerminal(status.code()) || GetErrorInfo(status).reason == "NOT_YOUR_POD" ||
         GetErrorInfo(status).reason == "NOT_YOUR_NODE";
}

void Upstream::Count(absl::string_view type, absl::string_view result) {
  metrics_.Report(type, result).Increment();
}

Upstream::Applied Upstream::Apply(const cloudspoke::InboxReport& report) {
  if (report.type == kPods) return ApplyPod(report);
  if (report.type != kNodes) {
    return Error(absl::StatusCode::kUnimplemented, "reports of this type are not served here")
        .Reason("REPORT_TYPE_UNKNOWN")
        .Meta("type", report.type);
  }
  if (report.key != report.node) {
    return Error(absl::StatusCode::kPermissionDenied, "a node reports itself only")
        .Reason("NOT_YOUR_NODE");
  }
  edged::v1::NodeReport message;
  if (!message.ParseFromString(report.value)) return Malformed("not a skerry.edged.v1.NodeReport");
  NodeReportValue value{.status_json = message.status_json(),
                        .labels = {message.labels().begin(), message.labels().end()}};
  SKERRY_ASSIGN_OR_RETURN(std::string applied, ApplyNode(report.node, value));
  absl::MutexLock lock(&mutex_);
  last_node_reports_[report.node] = std::move(value);
  return applied;
}

absl::StatusOr<std::optional<KubeObject>> Upstream::Read(absl::string_view type,
                                                         const kubeclient::Resource& resource,
                                                         absl::string_view object_namespace,
                                                         absl::string_view name, bool live) {
  if (!live) {
    const std::string key = object_namespace.empty()
                                ? std::string(name)
                                : std::string(object_namespace) + "/" + std::string(name);
    // That something is absent is never taken from the cache, which may lag.
    if (std::optional<KubeObject> cached = cache_(type, key)) return cached;
  }
  absl::StatusOr<KubeObject> object = client_.Get(resource, object_namespace, name, Call());
  if (absl::IsNotFound(object.status())) return std::optional<KubeObject>();
  SKERRY_RETURN_IF_ERROR(object.status());
  return std::optional<KubeObject>(*std::move(object));
}

// ---- Pods.

Upstream::Applied Upstream::ApplyPod(const cloudspoke::InboxReport& report) {
  edged::v1::PodReport message;
  if (!message.ParseFromString(report.value)) return Malformed("not a skerry.edged.v1.PodReport");
  SKERRY_ASSIGN_OR_RETURN(ObjectKey key, ObjectKey::Parse(report.key));
  const PodReportValue value{
      .uid = message.uid(), .status_json = message.status_json(), .gone = message.gone()};
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    SKERRY_ASSIGN_OR_RETURN(
        std::optional<KubeObject> pod,
        Read(kPods, kubeclient::Pods(), key.object_namespace(), key.name(), attempt > 0));
    // What the cache says of another pod or node may be old.
    if (attempt == 0 && pod.has_value() && pod->uid() != value.uid) continue;
    const nlohmann::json current = pod.has_value() ? pod->Json() : nlohmann::json();
    SKERRY_ASSIGN_OR_RETURN(PodPlan plan, PlanPodReport(current, report.node, value));
    if (!plan.dropped.empty()) {
      log_.Debug("pod report dropped",
                 {{"node", report.node}, {"key", report.key}, {"reason", plan.dropped}});
      return std::string("dropped");
    }
    absl::StatusOr<bool> written = WritePod(key.object_namespace(), key.name(), plan);
    if (written.ok()) return std::string(*written ? "applied" : "unchanged");
    // The pod changed or went away since it was read: look again.
    if (!absl::IsAborted(written.status()) && !absl::IsNotFound(written.status()))
      return written.status();
  }
  return absl::AbortedError("the pod changes too fast");
}

absl::StatusOr<bool> Upstream::WritePod(const std::string& object_namespace,
                                        const std::string& name, const PodPlan& plan) {
  bool wrote = false;
  if (!plan.status_patch.empty()) {
    SKERRY_RETURN_IF_ERROR(client_
                               .PatchStatus(kubeclient::Pods(), object_namespace, name,
                                            PatchType::kMerge, plan.status_patch, {.call = Call()})
                               .status());
    wrote = true;
  }
  if (plan.finish_deletion) {
    absl::Status deleted =
        client_.Delete(kubeclient::Pods(), object_namespace, name,
                       {.grace_period_seconds = 0, .uid = plan.uid, .call = Call()});
    if (!deleted.ok() && !absl::IsNotFound(deleted)) return deleted;
    log_.Info("pod deletion completed", {{"key", object_namespace + "/" + name}});
    wrote = true;
  }
  return wrote;
}

// ---- Nodes.

Upstream::Applied Upstream::ApplyNode(const std::string& node, const NodeReportValue& report) {
  SKERRY_ASSIGN_OR_RETURN(nlohmann::json status, ParseNodeStatus(report));
  SetKubeletEndpoint(kubelet_, status);
  bool wrote = false;
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    SKERRY_ASSIGN_OR_RETURN(std::optional<KubeObject> object,
                            Read(kNodes, kubeclient::Nodes(), "", node, attempt > 0));
    if (!object.has_value()) {
      const std::optional<cloudspoke::Session> session = sessions_.Find(node);
      if (session.has_value() && (session->node_deleted || session->node_written)) {
        log_.Info("Node was deleted, not made again in this session", {{"node", node}});
        return std::string("dropped");
      }
      absl::StatusOr<KubeObject> created =
          client_.Create(kubeclient::Nodes(), "", NewNode(node, report, status), Call());
      if (absl::IsAlreadyExists(created.status())) continue;
      SKERRY_RETURN_IF_ERROR(created.status());
      sessions_.NodeWritten(node);
      log_.Info("node registered", {{"node", node}});
      object = *std::move(created);
      wrote = true;
    }
    if (const std::string labels = PlanNodeLabels(object->Json(), report, status);
        !labels.empty()) {
      absl::StatusOr<KubeObject> labelled =
          client_.Patch(kubeclient::Nodes(), "", node, PatchType::kMerge, labels, {.call = Call()});
      if (absl::IsNotFound(labelled.status())) continue;
      SKERRY_RETURN_IF_ERROR(labelled.status());
      object = *std::move(labelled);
      wrote = true;
    }
    const std::string patch = PlanNodeStatus(object->Json(), status);
    if (patch.empty()) return std::string(wrote ? "applied" : "unchanged");
    absl::Status patched =
        client_
            .PatchStatus(kubeclient::Nodes(), "", node, PatchType::kMerge, patch, {.call = Call()})
            .status();
    if (patched.ok()) {
      sessions_.NodeWritten(node);
      return std::string("applied");
    }
    if (!absl::IsAborted(patched) && !absl::IsNotFound(patched)) return patched;
  }
  return absl::AbortedError("the Node changes too fast");
}

absl::Status Upstream::ReapplyNode(const std::string& node) {
  NodeReportValue report;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = last_node_reports_.find(node);
    if (it == last_node_reports_.end()) return absl::OkStatus();  // The node's next report does it.
    report = it->second;
  }
  return ApplyNode(node, report).status();
}

void Upstream::ForgetNode(const std::string& node) {
  absl::MutexLock lock(&mutex_);
  last_node_reports_.erase(node);
}

}  // namespace skerry::edgecontroller
