// CommandService: how controllers send commands to nodes.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_COMMAND_SERVICE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_COMMAND_SERVICE_H_

#include <memory>

#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::cloudhub {

// These outlive the server that serves it.
std::unique_ptr<grpc::Service> MakeCommandService(SessionHub& hub, exec::ThreadPool& pool,
                                                  Clock& clock);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_COMMAND_SERVICE_H_
