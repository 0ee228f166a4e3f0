#include "services/cloudhub-svc/service/tunnel_service.h"

#include <utility>

#include "api/skerry/cloudhub/v1/tunnel_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_call.h"
#include "services/lib/link/wire.h"
#include "services/lib/rpc/bidi_server.h"

namespace skerry::cloudhub {
namespace {

class TunnelServiceImpl final : public v1::TunnelService::CallbackService {
 public:
  explicit TunnelServiceImpl(SessionHub& hub) : hub_(hub) {}

  grpc::ServerBidiReactor<v1::OpenTunnelRequest, v1::OpenTunnelResponse>* OpenTunnel(
      grpc::CallbackServerContext* context) override {
    return rpc::AcceptBidi<v1::OpenTunnelRequest, v1::OpenTunnelResponse>(
        context, link::TunnelStreamOptions(),
        [this](const rpc::CallScope&, std::shared_ptr<rpc::Stream<v1::OpenTunnelResponse>> stream) {
          return link::ServeTunnel<v1::OpenTunnelRequest>(
              std::move(stream),
              [this](v1::OpenTunnelRequest first, std::shared_ptr<link::tunnel::UserPort> port) {
                return Open(std::move(first), std::move(port));
              });
        });
  }

 private:
  absl::StatusOr<link::TunnelInput> Open(v1::OpenTunnelRequest first,
                                         std::shared_ptr<link::tunnel::UserPort> port) {
    if (first.body_case() != v1::OpenTunnelRequest::kOpen) {
      return Error(absl::StatusCode::kInvalidArgument, "the first message is not `open`")
          .Reason("TUNNEL_PROTOCOL_ERROR");
    }
    const v1::OpenTunnelRequest::Open& open = first.open();
    SKERRY_RETURN_IF_ERROR(link::CheckType(open.type()));
    if (open.target().size() > link::kTunnelTargetBytesMax) {
      return InvalidField("target", "(bytes)", "at most 4 KiB");
    }
    return hub_.OpenTunnel(open.node(), open.type(), open.target(), std::move(port));
  }

  SessionHub& hub_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTunnelService(SessionHub& hub) {
  return std::make_unique<TunnelServiceImpl>(hub);
}

}  // namespace skerry::cloudhub
