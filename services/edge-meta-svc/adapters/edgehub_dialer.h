// Streams to edgehub-svc over gRPC.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_EDGEHUB_DIALER_H_
#define SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_EDGEHUB_DIALER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edge-meta-svc/adapters/hub_spoke.h"

namespace skerry::edgemeta {

// `target`: "unix:/path", or a loopback address. INVALID_ARGUMENT for another machine.
absl::StatusOr<HubDialer> MakeEdgehubDialer(absl::string_view target);

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_EDGEHUB_DIALER_H_
