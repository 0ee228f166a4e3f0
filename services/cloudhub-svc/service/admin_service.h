// AdminService: the operator's view of this hub.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_ADMIN_SERVICE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_ADMIN_SERVICE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "services/cloudhub-svc/join/node_gate.h"
#include "services/cloudhub-svc/join/token_admin.h"
#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::cloudhub {

// Starts a drain, of about as many nodes a second; 0 ends it.
using SetDrain = std::function<absl::Status(int nodes_per_second)>;

// hub_name: this replica's, for people. What is given outlives the server that serves it. Who may
// call it is the server's method policy.
std::unique_ptr<grpc::Service> MakeAdminService(SessionHub& hub, TokenAdmin& tokens, NodeGate& gate,
                                                SetDrain set_drain, const std::string& hub_name,
                                                exec::ThreadPool& pool, log::Logger log);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_ADMIN_SERVICE_H_
