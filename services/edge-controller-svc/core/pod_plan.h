// What a pod's report means for the pod in the Kubernetes API.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_POD_PLAN_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_POD_PLAN_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edgecontroller {

struct PodReportValue {
  std::string uid;
  std::string status_json;
  bool gone = false;
};

struct PodPlan {
  // Why nothing at all is done, or empty: POD_ABSENT, POD_REPLACED, PHASE_IS_FINAL.
  std::string dropped;
  // Merge patch for the status subresource, conditional on uid and resourceVersion; empty where it
  // says nothing new.
  std::string status_patch;
  // Then delete the pod with grace period 0 on the condition of this uid: its containers are gone.
  bool finish_deletion = false;
  std::string uid;
};

// `current` is the pod, or null if there is none: a report never brings a pod back.
// PERMISSION_DENIED / NOT_YOUR_POD if the pod is bound to another node; INVALID_ARGUMENT for a
// malformed report.
absl::StatusOr<PodPlan> PlanPodReport(const nlohmann::json& current, absl::string_view node,
                                      const PodReportValue& report);

// A digest of the Pod that leaves out what its node reported, so that a status is not sent back to
// where it came from; a final phase counts, since someone else may have set it (an eviction).
uint64_t PodDigest(const nlohmann::json& pod);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_POD_PLAN_H_
