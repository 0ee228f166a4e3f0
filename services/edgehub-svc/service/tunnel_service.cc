#include "services/edgehub-svc/service/tunnel_service.h"

#include <utility>

#include "api/skerry/edgehub/v1/tunnel_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/link/tunnel_call.h"
#include "services/lib/rpc/bidi_server.h"

namespace skerry::edgehub {
namespace {

class TunnelServiceImpl final : public v1::TunnelService::CallbackService {
 public:
  explicit TunnelServiceImpl(EdgeHub& hub) : hub_(hub) {}

  grpc::ServerBidiReactor<v1::JoinTunnelRequest, v1::JoinTunnelResponse>* JoinTunnel(
      grpc::CallbackServerContext* context) override {
    return rpc::AcceptBidi<v1::JoinTunnelRequest, v1::JoinTunnelResponse>(
        context, link::TunnelStreamOptions(),
        [this](const rpc::CallScope&, std::shared_ptr<rpc::Stream<v1::JoinTunnelResponse>> stream) {
          return link::ServeTunnel<v1::JoinTunnelRequest>(
              std::move(stream),
              [this](v1::JoinTunnelRequest first, std::shared_ptr<link::tunnel::UserPort> port) {
                return Join(first, std::move(port));
              });
        });
  }

 private:
  absl::StatusOr<link::TunnelInput> Join(const v1::JoinTunnelRequest& first,
                                         std::shared_ptr<link::tunnel::UserPort> port) {
    if (first.body_case() != v1::JoinTunnelRequest::kJoin) {
      return Error(absl::StatusCode::kInvalidArgument, "the first message is not `join`")
          .Reason("TUNNEL_PROTOCOL_ERROR");
    }
    return hub_.JoinTunnel(first.join().epoch(), first.join().tunnel_id(), std::move(port));
  }

  EdgeHub& hub_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTunnelService(EdgeHub& hub) {
  return std::make_unique<TunnelServiceImpl>(hub);
}

}  // namespace skerry::edgehub
