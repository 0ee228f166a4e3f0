#include "services/edgehub-svc/service/status_service.h"

#include <utility>

#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/edgehub-svc/service/spoke_wire.h"
#include "services/lib/rpc/unary.h"

namespace skerry::edgehub {
namespace {

class StatusServiceImpl final : public v1::EdgeHubService::CallbackService {
 public:
  StatusServiceImpl(EdgeHub& hub, exec::ThreadPool& pool, StatusFacts facts)
      : hub_(hub), pool_(pool), facts_(std::move(facts)) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::EdgeHubStatus* response) override {
    return rpc::RunUnary(context, pool_, [this, response](const rpc::CallScope&) {
      ToWire(hub_.TakeSnapshot(), *response);
      response->set_node(facts_.node);
      response->set_cloud_address(facts_.cloud_address);
      response->mutable_journal()->set_size_bytes_max(facts_.journal_bytes_max);
      SetTime(facts_.certificate_expire_time(), response->mutable_certificate_expire_time());
      return absl::OkStatus();
    });
  }

 private:
  EdgeHub& hub_;
  exec::ThreadPool& pool_;
  const StatusFacts facts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeStatusService(EdgeHub& hub, exec::ThreadPool& pool,
                                                 StatusFacts facts) {
  return std::make_unique<StatusServiceImpl>(hub, pool, std::move(facts));
}

}  // namespace skerry::edgehub
