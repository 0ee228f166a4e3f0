// TwinService: the API of twin-svc's Unix socket.
#ifndef SKERRY_SERVICES_TWIN_SVC_SERVICE_H_
#define SKERRY_SERVICES_TWIN_SVC_SERVICE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "services/lib/base/clock.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/twin_watches.h"

namespace skerry::twin {

// Nothing here blocks: reads are of memory, a write answers when the desk has stored it. Desk,
// watches and clock outlive the server.
class TwinServiceImpl final : public v1::TwinService::CallbackService {
 public:
  TwinServiceImpl(TwinDesk& desk, TwinWatches& watches, Clock& clock)
      : desk_(desk), watches_(watches), clock_(clock) {}

  grpc::ServerUnaryReactor* GetTwin(grpc::CallbackServerContext* context,
                                    const v1::GetTwinRequest* request, v1::Twin* response) override;
  grpc::ServerUnaryReactor* ListTwins(grpc::CallbackServerContext* context,
                                      const v1::ListTwinsRequest* request,
                                      v1::ListTwinsResponse* response) override;
  grpc::ServerUnaryReactor* WriteTwin(grpc::CallbackServerContext* context,
                                      const v1::WriteTwinRequest* request,
                                      v1::WriteTwinResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchTwinsResponse>* WatchTwins(
      grpc::CallbackServerContext* context, const v1::WatchTwinsRequest* request) override;

 private:
  absl::Status FillTwin(const v1::GetTwinRequest& request, v1::Twin& response) const;
  absl::Status FillList(const v1::ListTwinsRequest& request, v1::ListTwinsResponse& response) const;

  TwinDesk& desk_;
  TwinWatches& watches_;
  Clock& clock_;
};

// INVALID_ARGUMENT names the field, the value and the fix.
absl::StatusOr<Write> WriteFrom(const v1::WriteTwinRequest& request, absl::Time now);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SERVICE_H_
