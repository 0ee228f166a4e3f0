#include "services/edge-controller-svc/node_keeper.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "services/edge-controller-svc/core/node_plan.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edgecontroller {
namespace {

constexpr char kLeaseNamespace[] = "kube-node-lease";
constexpr int kConflictRetries = 5;

}  // namespace

NodeKeeper::NodeKeeper(Options options, kubeclient::Client& client, Views views,
                       cloudspoke::Sessions& sessions, Clock& clock, EdgeControllerMetrics& metrics,
                       log::Logger log)
    : options_(options),
      client_(client),
      views_(std::move(views)),
      sessions_(sessions),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      nodes_(
          {.name = "node", .workers = options.workers, .queue = {.backoff_max = absl::Seconds(10)}},
          clock, metrics.node_controller, log,
          [this](const std::string& node) { return ReconcileNode(node); }),
      pod_gc_({.name = "pod_gc", .workers = 1}, clock, metrics.pod_gc_controller, log,
              [this](const std::string& node) { return CollectPods(node); }) {}

void NodeKeeper::Start() {
  started_ = clock_.Monotonic();
  nodes_.Start();
  pod_gc_.Start();
}

void NodeKeeper::Stop() {
  stop_.request_stop();
  nodes_.Stop();
  pod_gc_.Stop();
}

// ---- Lease and loss.

absl::StatusOr<reconcile::Outcome> NodeKeeper::ReconcileNode(const std::string& node) {
  const std::optional<KubeObject> object = views_.node(node);
  const std::optional<cloudspoke::Session> session = sessions_.Find(node);
  if (session.has_value() && session->connected) {
    if (object.has_value()) {
      if (IsMarkedLost(object->Json())) SKERRY_RETURN_IF_ERROR(views_.reapply(node));
      SKERRY_RETURN_IF_ERROR(PublishKubelet(node, *object));
      SKERRY_RETURN_IF_ERROR(RenewLease(node, *object));
    }
    return reconcile::Outcome::RecheckAfter(options_.lease_interval);
  }
  {
    absl::MutexLock lock(&mutex_);
    if (const auto held = leases_.find(node); held != leases_.end()) {
      seen_leases_[node] = held->second.object.resource_version();
      leases_.erase(held);
    }
    if (!object.has_value()) seen_leases_.erase(node);
  }
  if (!object.has_value() || !IsEdgeNode(object->Json()) || IsMarkedLost(object->Json())) {
    return reconcile::Outcome::Done();
  }
  const absl::Duration since = session.has_value() ? session->changed_at : started_;
  const absl::Duration left = since + options_.lost_after - clock_.Monotonic();
  if (left > absl::ZeroDuration()) return reconcile::Outcome::RecheckAfter(left);
  SKERRY_ASSIGN_OR_RETURN(const bool kept, IsKeptByOthers(node));
  if (kept) return reconcile::Outcome::RecheckAfter(options_.lost_after);
  SKERRY_RETURN_IF_ERROR(MarkLost(node));
  return reconcile::Outcome::Done();
}

absl::StatusOr<bool> NodeKeeper::IsKeptByOthers(const std::string& node) {
  absl::StatusOr<KubeObject> lease =
      client_.Get(kubeclient::Leases(), kLeaseNamespace, node, Call());
  if (!lease.ok() && !absl::IsNotFound(lease.status())) return lease.status();
  absl::MutexLock lock(&mutex_);
  const auto seen = seen_leases_.find(node);
  if (!lease.ok()) {
    if (seen != seen_leases_.end()) seen_leases_.erase(seen);
    return false;
  }
  if (seen != seen_leases_.end() && seen->second == lease->resource_version()) {
    seen_leases_.erase(seen);
    return false;
  }
  seen_leases_[node] = lease->resource_version();
  return true;
}

// Reports carry it too; but after a change of leader the node may have nothing to report.
absl::Status NodeKeeper::PublishKubelet(const std::string& node, const KubeObject& object) {
  const std::string patch = PlanKubeletEndpoint(object.Json(), options_.kubelet);
  if (patch.empty()) return absl::OkStatus();
  absl::Status patched = client_
                             .PatchStatus(kubeclient::Nodes(), "", node,
                                          kubeclient::PatchType::kMerge, patch, {.call = Call()})
                             .status();
  // Where it has changed meanwhile, that change brings us here again.
  return absl::IsNotFound(patched) || absl::IsAborted(patched) ? absl::OkStatus() : patched;
}

absl::Status NodeKeeper::RenewLease(const std::string& node, const KubeObject& object) {
  std::optional<KubeObject> lease;
  {
    absl::MutexLock lock(&mutex_);
    if (const auto it = leases_.find(node); it != leases_.end()) {
      // A change of the Node brought us here: the lease has its own pace.
      if (clock_.Monotonic() - it->second.renewed < options_.lease_interval * 0.9)
        return absl::OkStatus();
      lease = it->second.object;
    }
  }
  absl::Status status = WriteLease(node, object, lease);
  if (!absl::IsAborted(status) && !absl::IsNotFound(status) && !absl::IsAlreadyExists(status))
    return status;
  // Someone else wrote, deleted or made it: once more with what is there.
  absl::StatusOr<KubeObject> live =
      client_.Get(kubeclient::Leases(), kLeaseNamespace, node, Call());
  if (live.ok()) return WriteLease(node, object, *live);
  if (!absl::IsNotFound(live.status())) return live.status();
  status = WriteLease(node, object, std::nullopt);
  if (!absl::IsNotFound(status)) return status;
  // A server that has never had a kubelet lacks the namespace.
  const nlohmann::json ns = {
      {"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", kLeaseNamespace}}}};
  absl::Status created = client_.Create(kubeclient::Namespaces(), "", ns.dump(), Call()).status();
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  return WriteLease(node, object, std::nullopt);
}

absl::Status NodeKeeper::WriteLease(const std::string& node, const KubeObject& object,
                                    const std::optional<KubeObject>& lease) {
  const std::string body = RenewedLease(lease.has_value() ? lease->Json() : nlohmann::json(), node,
                                        object.uid(), options_.lease_duration, clock_.Now());
  absl::StatusOr<KubeObject> written =
      lease.has_value()
          ? client_.Update(kubeclient::Leases(), kLeaseNamespace, node, body, "", Call())
          : client_.Create(kubeclient::Leases(), kLeaseNamespace, body, Call());
  absl::MutexLock lock(&mutex_);
  leases_.erase(node);
  SKERRY_RETURN_IF_ERROR(written.status());
  leases_.emplace(node, HeldLease{*std::move(written), clock_.Monotonic()});
  metrics_.leases_renewed.Increment();
  return absl::OkStatus();
}

absl::Status NodeKeeper::MarkLost(const std::string& node) {
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    absl::StatusOr<KubeObject> object = client_.Get(kubeclient::Nodes(), "", node, Call());
    if (absl::IsNotFound(object.status())) return absl::OkStatus();
    SKERRY_RETURN_IF_ERROR(object.status());
    if (const std::optional<cloudspoke::Session> session = sessions_.Find(node);
        session.has_value() && session->connected) {
      return absl::OkStatus();
    }
    const std::string patch = PlanNodeLost(object->Json(), clock_.Now());
    if (patch.empty()) return absl::OkStatus();
    absl::Status patched = client_
                               .PatchStatus(kubeclient::Nodes(), "", node,
                                            kubeclient::PatchType::kMerge, patch, {.call = Call()})
                               .status();
    if (absl::IsAborted(patched)) continue;
    SKERRY_RETURN_IF_ERROR(patched);
    metrics_.nodes_lost.Increment();
    log_.Warning("node lost", {{"node", node}, {"after", options_.lost_after}});
    return absl::OkStatus();
  }
  return absl::AbortedError("the Node changes too fast");
}

// ---- Pods of deleted nodes.

void NodeKeeper::CheckNodeExists(const std::string& node) {
  if (options_.pod_gc) pod_gc_.AddAfter(node, options_.pod_gc_after);
}

absl::StatusOr<reconcile::Outcome> NodeKeeper::CollectPods(const std::string& node) {
  absl::StatusOr<KubeObject> object = client_.Get(kubeclient::Nodes(), "", node, Call());
  if (object.ok()) return reconcile::Outcome::Done();
  if (!absl::IsNotFound(object.status())) return object.status();
  for (const std::string& key : views_.pods_of_node(node)) {
    const std::optional<KubeObject> pod = views_.pod(key);
    if (!pod.has_value()) continue;
    absl::Status deleted =
        client_.Delete(kubeclient::Pods(), pod->object_namespace(), pod->name(),
                       {.grace_period_seconds = 0, .uid = pod->uid(), .call = Call()});
    if (deleted.ok()) {
      metrics_.pods_collected.Increment();
      log_.Info("pod of a deleted node collected", {{"node", node}, {"key", key}});
    } else if (!absl::IsNotFound(deleted) && !absl::IsAborted(deleted)) {
      return deleted;
    }
  }
  return reconcile::Outcome::Done();
}

}  // namespace skerry::edgecontroller
