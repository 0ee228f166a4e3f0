// EdgedService: edged's view of the box, for operators.
#ifndef SKERRY_SERVICES_EDGED_SVC_SERVICE_H_
#define SKERRY_SERVICES_EDGED_SVC_SERVICE_H_

#include <functional>
#include <memory>

#include "api/skerry/edged/v1/edged_service.pb.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::edged {

// fill: answers from memory, on gRPC's threads; outlives the service.
std::unique_ptr<grpc::Service> MakeEdgedService(std::function<void(v1::EdgedStatus& status)> fill);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_SERVICE_H_
