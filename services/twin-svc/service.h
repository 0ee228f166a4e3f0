// TwinService: the API of twin-svc's Unix socket.
#ifndef SKERRY_SERVICES_TWIN_SVC_SERVICE_H_
#define SKERRY_SERVICES_TWIN_SVC_SERVICE_H_

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"
#include "services/twin-svc/runner/method_calls.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/service_requests.h"
#include "services/twin-svc/store/reading_log.h"
#include "services/twin-svc/twin_watches.h"

namespace skerry::twin {

// Reads of twins are of memory, a write answers when the desk has stored it, a list of readings
// runs on `pool`. Everything given outlives the server.
class TwinServiceImpl final : public v1::TwinService::CallbackService {
 public:
  TwinServiceImpl(TwinDesk& desk, TwinWatches& watches, ReadingLog& readings, MethodCalls& methods,
                  exec::ThreadPool& pool, Clock& clock)
      : desk_(desk),
        watches_(watches),
        readings_(readings),
        methods_(methods),
        pool_(pool),
        clock_(clock) {}

  grpc::ServerUnaryReactor* GetTwin(grpc::CallbackServerContext* context,
                                    const v1::GetTwinRequest* request, v1::Twin* response) override;
  grpc::ServerUnaryReactor* ListTwins(grpc::CallbackServerContext* context,
                                      const v1::ListTwinsRequest* request,
                                      v1::ListTwinsResponse* response) override;
  grpc::ServerUnaryReactor* WriteTwin(grpc::CallbackServerContext* context,
                                      const v1::WriteTwinRequest* request,
                                      v1::WriteTwinResponse* response) override;
  grpc::ServerUnaryReactor* BatchWriteTwins(grpc::CallbackServerContext* context,
                                            const v1::BatchWriteTwinsRequest* request,
                                            v1::BatchWriteTwinsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchTwinsResponse>* WatchTwins(
      grpc::CallbackServerContext* context, const v1::WatchTwinsRequest* request) override;
  grpc::ServerUnaryReactor* ReportState(grpc::CallbackServerContext* context,
                                        const v1::ReportStateRequest* request,
                                        v1::DeviceState* response) override;
  grpc::ServerUnaryReactor* ListReadings(grpc::CallbackServerContext* context,
                                         const v1::ListReadingsRequest* request,
                                         v1::ListReadingsResponse* response) override;
  grpc::ServerUnaryReactor* CallMethod(grpc::CallbackServerContext* context,
                                       const v1::MethodCall* request,
                                       v1::MethodResult* response) override;

 private:
  // `done` is called once, here or on the desk's thread; `response` is valid until then.
  void WriteOne(const v1::WriteTwinRequest& request, v1::WriteTwinResponse* response,
                absl::AnyInvocable<void(absl::Status)> done);
  // What an answer to it takes, roughly, after the writes of the twin that came before in the call.
  size_t AnswerBytesOf(const v1::WriteTwinRequest& request, Growth& growth) const;
  absl::Status FillTwin(const v1::GetTwinRequest& request, v1::Twin& response) const;
  absl::Status FillList(const v1::ListTwinsRequest& request, v1::ListTwinsResponse& response) const;
  absl::Status FillReadings(const v1::ListReadingsRequest& request,
                            v1::ListReadingsResponse& response) const;

  TwinDesk& desk_;
  TwinWatches& watches_;
  ReadingLog& readings_;
  MethodCalls& methods_;
  exec::ThreadPool& pool_;
  Clock& clock_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SERVICE_H_
