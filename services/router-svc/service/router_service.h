// RouterService: the dead letters.
#ifndef SKERRY_SERVICES_ROUTER_SVC_SERVICE_ROUTER_SERVICE_H_
#define SKERRY_SERVICES_ROUTER_SVC_SERVICE_ROUTER_SERVICE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "api/skerry/router/v1/router_service.grpc.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"
#include "services/router-svc/store/message_store.h"

namespace skerry::router {

// Store, pool and clock outlive the server. `wake` is told of a rule that has messages again, on
// any thread.
class RouterServiceImpl final : public v1::RouterService::CallbackService {
 public:
  using Wake = std::function<void(const std::string& rule)>;
  RouterServiceImpl(MessageStore& store, exec::ThreadPool& pool, Wake wake, Clock& clock)
      : store_(store), pool_(pool), wake_(std::move(wake)), clock_(clock) {}

  grpc::ServerUnaryReactor* ListDeadLetters(grpc::CallbackServerContext* context,
                                            const v1::ListDeadLettersRequest* request,
                                            v1::ListDeadLettersResponse* response) override;
  grpc::ServerUnaryReactor* ReplayDeadLetter(grpc::CallbackServerContext* context,
                                             const v1::ReplayDeadLetterRequest* request,
                                             v1::ReplayDeadLetterResponse* response) override;
  grpc::ServerUnaryReactor* DropDeadLetter(grpc::CallbackServerContext* context,
                                           const v1::DropDeadLetterRequest* request,
                                           v1::DropDeadLetterResponse* response) override;

 private:
  absl::Status List(const v1::ListDeadLettersRequest& request,
                    v1::ListDeadLettersResponse& response);

  MessageStore& store_;
  exec::ThreadPool& pool_;
  const Wake wake_;
  Clock& clock_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_SERVICE_ROUTER_SERVICE_H_
