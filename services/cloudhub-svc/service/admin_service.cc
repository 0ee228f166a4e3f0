#include "services/cloudhub-svc/service/admin_service.h"

#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "services/cloudhub-svc/service/session_page.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/unary.h"

namespace skerry::cloudhub {
namespace {

class AdminServiceImpl final : public v1::AdminService::CallbackService {
 public:
  AdminServiceImpl(SessionHub& hub, exec::ThreadPool& pool) : hub_(hub), pool_(pool) {}

  grpc::ServerUnaryReactor* ListNodeSessions(grpc::CallbackServerContext* context,
                                             const v1::ListNodeSessionsRequest* request,
                                             v1::ListNodeSessionsResponse* response) override {
    return rpc::RunUnary(context, pool_,
                         [this, request, response](const rpc::CallScope&) -> absl::Status {
                           SKERRY_ASSIGN_OR_RETURN(*response, PageOf(hub_.Sessions(), *request));
                           return absl::OkStatus();
                         });
  }

 private:
  SessionHub& hub_;
  exec::ThreadPool& pool_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(SessionHub& hub, exec::ThreadPool& pool) {
  return std::make_unique<AdminServiceImpl>(hub, pool);
}

}  // namespace skerry::cloudhub
