// DeviceManagerService: KubeEdge's interface for mappers.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_DMI_SERVICE_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_DMI_SERVICE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "services/lib/base/clock.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/dmi/mapper_desk.h"
#include "services/twin-svc/dmi/state_sink.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

// Nothing here blocks. What is given outlives the server.
class DmiServiceImpl final : public v1beta1::DeviceManagerService::CallbackService {
 public:
  // states may be null: ReportDeviceStates is UNIMPLEMENTED then.
  DmiServiceImpl(MapperDesk& mappers, TwinDesk& twins, StateSink* states, Clock& clock,
                 DmiMetrics& metrics)
      : mappers_(mappers), twins_(twins), states_(states), clock_(clock), metrics_(metrics) {}

  grpc::ServerUnaryReactor* MapperRegister(grpc::CallbackServerContext* context,
                                           const v1beta1::MapperRegisterRequest* request,
                                           v1beta1::MapperRegisterResponse* response) override;
  grpc::ServerUnaryReactor* ReportDeviceStatus(
      grpc::CallbackServerContext* context, const v1beta1::ReportDeviceStatusRequest* request,
      v1beta1::ReportDeviceStatusResponse* response) override;
  grpc::ServerUnaryReactor* ReportDeviceStates(
      grpc::CallbackServerContext* context, const v1beta1::ReportDeviceStatesRequest* request,
      v1beta1::ReportDeviceStatesResponse* response) override;

 private:
  MapperDesk& mappers_;
  TwinDesk& twins_;
  StateSink* const states_;
  Clock& clock_;
  DmiMetrics& metrics_;
};

// What a report writes: the reported values. One that is empty and has no metadata was not read.
// `observedDesired` is passed over: what is desired is known here, and what a mapper repeats of it
// late must replace nothing. INVALID_ARGUMENT names the field.
absl::StatusOr<Write> WriteFrom(const v1beta1::ReportDeviceStatusRequest& request,
                                const std::string& writer, absl::Time now);

// INVALID_ARGUMENT unless it is 1 to 64 bytes. Which words there are is the mappers' matter.
absl::Status CheckState(const std::string& state);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_DMI_SERVICE_H_
