// Streams to edgehub-svc over gRPC.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_HUB_DIALER_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_HUB_DIALER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "services/lib/rpc/stream.h"

namespace skerry::hubclient {

using HubStream = rpc::Stream<edgehub::v1::SpokeFrame>;
// Opens a stream; one that can't be opened shows as on_closed.
using HubDialer = std::function<std::shared_ptr<HubStream>(
    const rpc::StreamOptions& options, rpc::StreamEvents<edgehub::v1::HubFrame> events)>;

// `target`: "unix:/path", or a loopback address. INVALID_ARGUMENT for another machine. Any thread
// may use what it returns.
absl::StatusOr<HubDialer> MakeHubDialer(absl::string_view target);

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_HUB_DIALER_H_
