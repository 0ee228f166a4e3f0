// A spoke's messages from what it hands in.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_HUB_FRAMES_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_HUB_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "services/lib/hubclient/core/report_queue.h"
#include "services/lib/hubclient/hub_types.h"

namespace skerry::hubclient {

edgehub::v1::SpokeFrame RegistrationOf(const std::string& spoke,
                                       const std::vector<std::string>& report_types,
                                       const std::vector<EventStream>& event_streams,
                                       const std::vector<std::string>& command_types);
edgehub::v1::SpokeFrame FrameOf(uint64_t request_id, const Report& report);
// The events from `first` on.
edgehub::v1::SpokeFrame FrameOf(uint64_t request_id, const EventBatch& batch, size_t first);

// What it costs to keep it.
size_t BytesOf(const EventBatch& batch);
// INVALID_ARGUMENT names the field, the value and the bound.
absl::Status CheckBatch(const EventBatch& batch);

// Of a command: what is no time at all is zero.
absl::Duration DurationOf(const google::protobuf::Duration& message);

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_HUB_FRAMES_H_
