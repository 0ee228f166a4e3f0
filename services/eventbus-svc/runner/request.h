// A request that a device, or another MQTT client, has published.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_REQUEST_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_REQUEST_H_

#include <cstddef>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "services/eventbus-svc/core/topics.h"

namespace skerry::eventbus {

using RequestTopic =
    std::variant<TwinUpdateTopic, TwinGetTopic, StateUpdateTopic, MembershipGetTopic>;

struct Request {
  RequestTopic topic;
  std::string payload;     // Cut where it is larger than may be.
  absl::Duration arrived;  // By the monotonic clock.
  std::string write_id;    // For twin-svc, where the payload has no event id.
  int64_t sequence = 0;    // In the log of requests; 0: it is not there.
  size_t bytes = 0;        // That it holds of the bound on requests that wait.
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_REQUEST_H_
