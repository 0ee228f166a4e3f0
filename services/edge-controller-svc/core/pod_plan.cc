#include "services/edge-controller-svc/core/pod_plan.h"

#include <nlohmann/json.hpp>
#include <set>

#include "absl/hash/hash.h"
#include "services/edge-controller-svc/core/conditions.h"
#include "services/edge-controller-svc/core/merge_diff.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {
namespace {

using kubeapi::StringAt;

// As the kubelet's: the other types belong to controllers, schedulers and readiness gates.
const std::set<std::string>& OwnedConditions() {
  static const auto* owned = new std::set<std::string>{
      "PodReadyToStartContainers", "Initialized",      "Ready",
      "ContainersReady",           "PodResizePending", "PodResizeInProgress"};
  return *owned;
}

bool IsFinal(const std::string& phase) { return phase == "Succeeded" || phase == "Failed"; }

absl::Status CheckReport(const PodReportValue& report, const nlohmann::json& status) {
  if (report.uid.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "the pod report has no uid")
        .Reason("REPORT_MALFORMED");
  }
  if (!status.is_object()) {
    return Error(absl::StatusCode::kInvalidArgument, "the pod report's status is not a JSON object")
        .Reason("REPORT_MALFORMED");
  }
  return absl::OkStatus();
}

nlohmann::json MergeStatus(const nlohmann::json& before, nlohmann::json reported) {
  nlohmann::json merged = std::move(reported);
  merged["conditions"] =
      MergeConditions(kubeapi::ArrayAt(before, {"conditions"}),
                      kubeapi::ArrayAt(merged, {"conditions"}), OwnedConditions());
  // Not the node's to change: set once, or by others.
  for (const char* kept : {"startTime", "qosClass", "nominatedNodeName", "resourceClaimStatuses"}) {
    if (before.contains(kept)) merged[kept] = before[kept];
  }
  return merged;
}

}  // namespace

absl::StatusOr<PodPlan> PlanPodReport(const nlohmann::json& current, absl::string_view node,
                                      const PodReportValue& report) {
  PodPlan plan{.uid = report.uid};
  absl::StatusOr<nlohmann::json> status = kubeapi::ParseJson(report.status_json);
  if (!status.ok() && !report.gone) return Annotate(status.status(), "pod report");
  // Of a pod that is gone nothing may be known any more.
  if (!status.ok() && report.status_json.empty()) status = nlohmann::json::object();
  SKERRY_RETURN_IF_ERROR(status.status());
  SKERRY_RETURN_IF_ERROR(CheckReport(report, *status));

  if (current.is_null()) {
    plan.dropped = "POD_ABSENT";
    return plan;
  }
  if (const std::string bound = StringAt(current, {"spec", "nodeName"}); bound != node) {
    return Error(absl::StatusCode::kPermissionDenied, "the pod is bound to another node")
        .Reason("NOT_YOUR_POD")
        .Meta("node", node);
  }
  if (StringAt(current, {"metadata", "uid"}) != report.uid) {
    plan.dropped = "POD_REPLACED";
    return plan;
  }

  plan.finish_deletion =
      report.gone && !StringAt(current, {"metadata", "deletionTimestamp"}).empty();
  const nlohmann::json& before = kubeapi::ObjectAt(current, {"status"});
  const std::string phase_before = StringAt(before, {"phase"});
  const std::string phase = StringAt(*status, {"phase"});
  if (status->empty()) return plan;
  if (IsFinal(phase_before) && phase != phase_before) {
    if (!plan.finish_deletion) plan.dropped = "PHASE_IS_FINAL";
    return plan;
  }
  nlohmann::json difference = MergeDiff(before, MergeStatus(before, *std::move(status)));
  if (!difference.empty()) {
    const nlohmann::json patch = {
        {"metadata",
         {{"uid", report.uid},
          {"resourceVersion", StringAt(current, {"metadata", "resourceVersion"})}}},
        {"status", std::move(difference)}};
    plan.status_patch = kubeapi::DumpJson(patch);
  }
  return plan;
}

uint64_t PodDigest(const nlohmann::json& pod) {
  const std::string phase = StringAt(pod, {"status", "phase"});
  nlohmann::json rest = pod;
  rest.erase("status");
  kubeapi::ErasePath(rest, {"metadata", "resourceVersion"});
  const uint64_t digest = absl::HashOf(kubeapi::DumpJson(rest), IsFinal(phase) ? phase : "");
  return digest == 0 ? 1 : digest;
}

}  // namespace skerry::edgecontroller
