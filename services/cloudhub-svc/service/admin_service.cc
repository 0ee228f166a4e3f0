#include "services/cloudhub-svc/service/admin_service.h"

#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "services/cloudhub-svc/service/session_page.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/unary.h"

namespace skerry::cloudhub {
namespace {

class AdminServiceImpl final : public v1::AdminService::CallbackService {
 public:
  AdminServiceImpl(SessionHub& hub, TokenAdmin& tokens, exec::ThreadPool& pool)
      : hub_(hub), tokens_(tokens), pool_(pool) {}

  grpc::ServerUnaryReactor* CreateJoinToken(grpc::CallbackServerContext* context,
                                            const v1::CreateJoinTokenRequest* request,
                                            v1::CreateJoinTokenResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope& scope) {
      return tokens_.Create(*request, scope.peer.common_name, *response);
    });
  }

  grpc::ServerUnaryReactor* ListJoinTokens(grpc::CallbackServerContext* context,
                                           const v1::ListJoinTokensRequest* request,
                                           v1::ListJoinTokensResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return tokens_.List(*request, *response);
    });
  }

  grpc::ServerUnaryReactor* RevokeJoinToken(grpc::CallbackServerContext* context,
                                            const v1::RevokeJoinTokenRequest* request,
                                            v1::RevokeJoinTokenResponse*) override {
    return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope& scope) {
      return tokens_.Revoke(*request, scope.peer.common_name);
    });
  }

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
  TokenAdmin& tokens_;
  exec::ThreadPool& pool_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(SessionHub& hub, TokenAdmin& tokens,
                                                exec::ThreadPool& pool) {
  return std::make_unique<AdminServiceImpl>(hub, tokens, pool);
}

}  // namespace skerry::cloudhub
