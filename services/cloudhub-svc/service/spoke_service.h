// SpokeService: how controllers reach nodes.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SPOKE_SERVICE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SPOKE_SERVICE_H_

#include <memory>
#include <string>

#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::cloudhub {

// `hub` outlives the server that serves it. Who may call it is the server's method policy.
std::unique_ptr<grpc::Service> MakeSpokeService(SessionHub& hub, const std::string& hub_name,
                                                log::Logger log);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SPOKE_SERVICE_H_
