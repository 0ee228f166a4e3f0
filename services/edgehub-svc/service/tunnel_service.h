// TunnelService: byte streams from the cloud to services of the box.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_TUNNEL_SERVICE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_TUNNEL_SERVICE_H_

#include <memory>

#include "services/edgehub-svc/hub/edge_hub.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::edgehub {

// `hub` outlives the server that serves it.
std::unique_ptr<grpc::Service> MakeTunnelService(EdgeHub& hub);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_TUNNEL_SERVICE_H_
