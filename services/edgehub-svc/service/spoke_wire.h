// Conversion between the spoke service's messages and the values that the hub speaks.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_SPOKE_WIRE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_SPOKE_WIRE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/edgehub-svc/hub/ports.h"
#include "services/edgehub-svc/store/event_store.h"
#include "services/lib/link/frames.h"

namespace skerry::edgehub {

v1::HubFrame ToWire(SpokeMessage message);
void ToWire(const EdgeHub::Snapshot& snapshot, v1::EdgeHubStatus& out);
void SetTime(absl::Time time, google::protobuf::Timestamp* out);

// INVALID_ARGUMENT / SPOKE_PROTOCOL_ERROR, or PROTOCOL_VIOLATION where a bound of the link is
// exceeded.
absl::Status CheckRegister(const v1::Register& message);
absl::StatusOr<link::Subscribe> FromWire(v1::Subscribe message);
absl::StatusOr<link::ResourceAck> FromWire(v1::ResourceDone message);
std::vector<EventStream> StreamsOf(const v1::Register& message);
// INVALID_ARGUMENT where a bound is exceeded or the producer's numbers don't go up.
absl::StatusOr<std::vector<NewEvent>> FromWire(v1::PutEvents message);
// What is beyond a bound becomes how the command ended: RESOURCE_EXHAUSTED /
// COMMAND_RESPONSE_TOO_LARGE.
link::edge::CommandDone FromWire(v1::CommandDone message);
absl::Status SpokeError(absl::string_view message);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_SPOKE_WIRE_H_
