#include "services/edged-svc/service.h"

#include <utility>

#include "api/skerry/edged/v1/edged_service.grpc.pb.h"

namespace skerry::edged {
namespace {

class EdgedServiceImpl final : public v1::EdgedService::CallbackService {
 public:
  explicit EdgedServiceImpl(std::function<void(v1::EdgedStatus&)> fill) : fill_(std::move(fill)) {}

  // From memory: no pool is needed.
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::EdgedStatus* response) override {
    fill_(*response);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const std::function<void(v1::EdgedStatus&)> fill_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEdgedService(std::function<void(v1::EdgedStatus& status)> fill) {
  return std::make_unique<EdgedServiceImpl>(std::move(fill));
}

}  // namespace skerry::edged
