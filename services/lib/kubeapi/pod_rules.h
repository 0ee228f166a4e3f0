// What is special about pods: defaults that depend on other fields, validation, what an update may
// change.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_POD_RULES_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_POD_RULES_H_

#include <string>
#include <vector>

#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// On create (old null): status Pending with its QoS class.
void PreparePod(Json& pod, const Json* old);
// imagePullPolicy by tag, requests from limits, host ports, serviceAccountName "default".
void DefaultPod(Json& pod);
void ValidatePod(const Json& pod, std::vector<FieldError>& errors);
// Spec may change in image, activeDeadlineSeconds, terminationGracePeriodSeconds (to 1 if it was
// negative), tolerations (only additions).
void ValidatePodUpdate(const Json& pod, const Json& old, std::vector<FieldError>& errors);
// "Guaranteed", "Burstable", "BestEffort".
std::string QosClass(const Json& pod);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_POD_RULES_H_
