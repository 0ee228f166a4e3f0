#include "services/lib/hubclient/hub_dialer.h"

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/channel.h"

namespace skerry::hubclient {

absl::StatusOr<HubDialer> MakeHubDialer(absl::string_view target) {
  // The client paces its attempts; the channel must not hold a neighbour on the same box off for
  // longer.
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                          rpc::MakeChannel({.target = std::string(target),
                                            .keepalive_interval = absl::InfiniteDuration(),
                                            .backoff_min = absl::Milliseconds(100),
                                            .backoff_max = absl::Seconds(1)}));
  std::shared_ptr<edgehub::v1::SpokeService::Stub> stub =
      edgehub::v1::SpokeService::NewStub(channel);
  return HubDialer(
      [stub](const rpc::StreamOptions& options,
             rpc::StreamEvents<edgehub::v1::HubFrame> events) -> std::shared_ptr<HubStream> {
        return rpc::DialBidi<edgehub::v1::HubFrame, edgehub::v1::SpokeFrame>(
            [&stub](grpc::ClientContext* context, auto* reactor) {
              stub->async()->Attach(context, reactor);
            },
            options, std::move(events));
      });
}

}  // namespace skerry::hubclient
