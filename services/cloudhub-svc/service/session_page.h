// Pages of ListNodeSessions.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SESSION_PAGE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SESSION_PAGE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/cloudhub-svc/sessions/ports.h"

namespace skerry::cloudhub {

// `sessions` is sorted by node. The token is the last node of the page before, so that pages stay
// right while nodes come and go.
absl::StatusOr<v1::ListNodeSessionsResponse> PageOf(const std::vector<SessionInfo>& sessions,
                                                    const v1::ListNodeSessionsRequest& request);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SESSION_PAGE_H_
