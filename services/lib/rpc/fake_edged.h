// A small service for the tests of this folder.
#ifndef SKERRY_SERVICES_LIB_RPC_FAKE_EDGED_H_
#define SKERRY_SERVICES_LIB_RPC_FAKE_EDGED_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/unary.h"

namespace skerry::rpc {

inline constexpr absl::Duration kPatience = absl::Seconds(20);

// GetStatus runs what the test gives.
class FakeEdged final : public skerry::edged::v1::EdgedService::CallbackService {
 public:
  explicit FakeEdged(exec::ThreadPool& pool) : pool_(pool) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const skerry::edged::v1::GetStatusRequest*,
                                      skerry::edged::v1::EdgedStatus* response) override {
    return RunUnary(context, pool_, [this, response](const CallScope& scope) {
      response->set_runtime("containerd");
      return handler ? handler(scope) : absl::OkStatus();
    });
  }

  std::function<absl::Status(const CallScope&)> handler;

 private:
  exec::ThreadPool& pool_;
};

// Calls GetStatus and waits.
inline absl::Status Get(const std::shared_ptr<grpc::Channel>& channel,
                        absl::Duration timeout = kPatience) {
  auto stub = skerry::edged::v1::EdgedService::NewStub(channel);
  skerry::edged::v1::EdgedStatus response;
  return CallUnary(timeout, [&](grpc::ClientContext* context) {
    return stub->GetStatus(context, {}, &response);
  });
}

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_FAKE_EDGED_H_
