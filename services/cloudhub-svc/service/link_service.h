// LinkService: where edge nodes connect.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_LINK_SERVICE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_LINK_SERVICE_H_

#include <memory>

#include "services/cloudhub-svc/join/node_gate.h"
#include "services/cloudhub-svc/metrics.h"
#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/rpc/listener.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::cloudhub {

// The node's name comes from its certificate alone. `listener`, which the connections come by,
// `hub`, `gate`, `clock` and `metrics` outlive the server that serves it.
std::unique_ptr<grpc::Service> MakeLinkService(SessionHub& hub, NodeGate& gate,
                                               rpc::Listener& listener, Clock& clock,
                                               CloudHubMetrics& metrics, log::Logger log);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_LINK_SERVICE_H_
