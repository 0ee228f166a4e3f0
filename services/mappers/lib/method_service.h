// DeviceMethodService: methods of the mapper's devices, as twin-svc calls them.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_METHOD_SERVICE_H_
#define SKERRY_SERVICES_MAPPERS_LIB_METHOD_SERVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "api/skerry/mapper/v1/method_service.grpc.pb.h"
#include "services/mappers/lib/mapper.h"

namespace skerry::mapper {

// The mapper outlives the server. Nothing here blocks.
class MethodServiceImpl final : public v1::DeviceMethodService::CallbackService {
 public:
  explicit MethodServiceImpl(Mapper& mapper) : mapper_(mapper) {}

  grpc::ServerUnaryReactor* CallMethod(grpc::CallbackServerContext* context,
                                       const twin::v1::MethodCall* request,
                                       twin::v1::MethodResult* response) override;

 private:
  Mapper& mapper_;
};

// What a driver's answer is to the caller. Every error has a reason, by which twin-svc knows it
// from what gRPC says of a mapper that is not there: METHOD_UNKNOWN, DEVICE_OFFLINE,
// DEVICE_TIMEOUT, METHOD_FAILED, RESULT_TOO_LARGE, or the driver's own.
absl::StatusOr<twin::v1::MethodResult> ResultOf(const std::string& method,
                                                absl::StatusOr<std::string> answer);

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_METHOD_SERVICE_H_
