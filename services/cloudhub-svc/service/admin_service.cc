#include "services/cloudhub-svc/service/admin_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/cloudhub-svc/service/session_page.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/unary.h"

namespace skerry::cloudhub {
namespace {

constexpr int kDrainRate = 50;  // Nodes a second; a replica admits a few hundred.
constexpr int kDrainRateMax = 10'000;

class AdminServiceImpl final : public v1::AdminService::CallbackService {
 public:
  AdminServiceImpl(SessionHub& hub, TokenAdmin& tokens, NodeGate& gate, SetDrain set_drain,
                   const std::string& hub_name, exec::ThreadPool& pool, log::Logger log)
      : hub_(hub),
        tokens_(tokens),
        gate_(gate),
        set_drain_(std::move(set_drain)),
        hub_name_(hub_name),
        pool_(pool),
        log_(std::move(log)) {}

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

  grpc::ServerUnaryReactor* DisableNode(grpc::CallbackServerContext* context,
                                        const v1::DisableNodeRequest* request,
                                        v1::DisableNodeResponse*) override {
    return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope& scope) {
      return SetDisabled(request->node(), true, scope);
    });
  }

  grpc::ServerUnaryReactor* EnableNode(grpc::CallbackServerContext* context,
                                       const v1::EnableNodeRequest* request,
                                       v1::EnableNodeResponse*) override {
    return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope& scope) {
      return SetDisabled(request->node(), false, scope);
    });
  }

  grpc::ServerUnaryReactor* DrainHub(grpc::CallbackServerContext* context,
                                     const v1::DrainHubRequest* request,
                                     v1::DrainHubResponse*) override {
    return rpc::RunUnary(
        context, pool_, [this, request](const rpc::CallScope& scope) -> absl::Status {
          const int rate = request->nodes_per_second();
          if (rate < 0 || rate > kDrainRateMax) {
            return InvalidField("nodes_per_second", absl::StrCat(rate),
                                absl::StrCat("0 (the default) to ", kDrainRateMax));
          }
          return Drain(rate == 0 ? kDrainRate : rate, scope);
        });
  }

  grpc::ServerUnaryReactor* UndrainHub(grpc::CallbackServerContext* context,
                                       const v1::UndrainHubRequest*,
                                       v1::UndrainHubResponse*) override {
    return rpc::RunUnary(context, pool_,
                         [this](const rpc::CallScope& scope) { return Drain(0, scope); });
  }

  grpc::ServerUnaryReactor* GetHub(grpc::CallbackServerContext* context, const v1::GetHubRequest*,
                                   v1::Hub* response) override {
    return rpc::RunUnary(context, pool_, [this, response](const rpc::CallScope&) {
      const HubState state = hub_.State();
      response->set_name(hub_name_);
      response->set_draining(state.draining);
      response->set_session_count(state.sessions);
      response->set_moving_count(state.moving);
      for (const std::string& node : state.moving_nodes) response->add_moving_nodes(node);
      return absl::OkStatus();
    });
  }

 private:
  absl::Status Drain(int nodes_per_second, const rpc::CallScope& scope) {
    SKERRY_RETURN_IF_ERROR(set_drain_(nodes_per_second));
    log_.Info(nodes_per_second > 0 ? "drain begun" : "drain ended",
              {{"nodes_per_second", nodes_per_second}, {"operator", scope.peer.common_name}});
    return absl::OkStatus();
  }

  absl::Status SetDisabled(const std::string& name, bool disabled, const rpc::CallScope& scope) {
    SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeName::Parse(name));
    SKERRY_RETURN_IF_ERROR(gate_.SetDisabled(node, disabled));
    if (disabled) hub_.End(node, NodeDisabled(node));
    log_.Info(disabled ? "node disabled" : "node enabled",
              {{"node", node.value()}, {"operator", scope.peer.common_name}});
    return absl::OkStatus();
  }

  SessionHub& hub_;
  TokenAdmin& tokens_;
  NodeGate& gate_;
  const SetDrain set_drain_;
  const std::string hub_name_;
  exec::ThreadPool& pool_;
  const log::Logger log_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(SessionHub& hub, TokenAdmin& tokens, NodeGate& gate,
                                                SetDrain set_drain, const std::string& hub_name,
                                                exec::ThreadPool& pool, log::Logger log) {
  return std::make_unique<AdminServiceImpl>(hub, tokens, gate, std::move(set_drain), hub_name, pool,
                                            std::move(log));
}

}  // namespace skerry::cloudhub
