// Conversion between the spoke service's messages and the values that the sessions speak.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SPOKE_WIRE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SPOKE_WIRE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/cloudhub-svc/sessions/ports.h"
#include "services/lib/link/cloud_events.h"

namespace skerry::cloudhub {

v1::HubFrame ToWire(SpokeMessage message);

// INVALID_ARGUMENT / SPOKE_PROTOCOL_ERROR where it is not a change.
absl::StatusOr<link::cloud::Push> FromWire(link::SpokeId spoke, v1::Push message);

// A violation of the link where a bound is exceeded.
absl::StatusOr<link::cloud::EventsDone> FromWire(link::SpokeId spoke, v1::EventsDone message);

// OK where the registration is within its bounds.
absl::Status CheckRegister(const v1::Register& message);

// INVALID_ARGUMENT / SPOKE_PROTOCOL_ERROR.
absl::Status SpokeError(absl::string_view message);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_SPOKE_WIRE_H_
