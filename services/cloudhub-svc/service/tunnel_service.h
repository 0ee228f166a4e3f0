// TunnelService: byte streams to services of a node's box.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_TUNNEL_SERVICE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_TUNNEL_SERVICE_H_

#include <memory>

#include "services/cloudhub-svc/sessions/session_hub.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::cloudhub {

// `hub` outlives the server that serves it. Who may call it is the server's method policy.
std::unique_ptr<grpc::Service> MakeTunnelService(SessionHub& hub);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_TUNNEL_SERVICE_H_
