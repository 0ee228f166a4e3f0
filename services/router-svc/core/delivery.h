// Whether a message that was posted has arrived, goes again, or never will arrive.
#ifndef SKERRY_SERVICES_ROUTER_SVC_CORE_DELIVERY_H_
#define SKERRY_SERVICES_ROUTER_SVC_CORE_DELIVERY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace skerry::router {

struct DeliveryPolicy {
  absl::Duration backoff_min = absl::Seconds(1);
  absl::Duration backoff_max = absl::Minutes(5);
  absl::Duration age_max = absl::Hours(1);  // Of a message, from its arrival here.
};

enum class Verdict { kArrived, kAgain, kNever };

// 2xx has arrived. What may be another moment goes again: 408, 425, 429, 5xx but 501 and 505. All
// else (a redirect, a refusal) never arrives.
Verdict JudgeAnswer(int http_status);
// Of a call without an answer: a URL that can't be called and an answer that is too large are
// final. The latter has arrived.
Verdict JudgeError(const absl::Status& status);

// How long to wait after that many attempts (from 1). `random` is of [0, 1).
absl::Duration Backoff(const DeliveryPolicy& policy, int attempts, double random);

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_CORE_DELIVERY_H_
