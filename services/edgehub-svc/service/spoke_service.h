// SpokeService: how the services of the box reach the cloud.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_SPOKE_SERVICE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_SPOKE_SERVICE_H_

#include <memory>
#include <string>

#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::edgehub {

// `hub` outlives the server that serves it. `node`: this node's name.
std::unique_ptr<grpc::Service> MakeSpokeService(EdgeHub& hub, const std::string& node,
                                                log::Logger log);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_SPOKE_SERVICE_H_
