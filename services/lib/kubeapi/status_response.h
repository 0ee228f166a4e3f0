// An error of the Kubernetes API as an HTTP answer.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STATUS_RESPONSE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STATUS_RESPONSE_H_

#include "absl/status/status.h"
#include "services/lib/http/server.h"

namespace skerry::kubeapi {

// Its metav1.Status in JSON.
http::Response StatusResponse(const absl::Status& status);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STATUS_RESPONSE_H_
