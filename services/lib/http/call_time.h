// How long a call may still take. Internal to the client.
#ifndef SKERRY_SERVICES_LIB_HTTP_CALL_TIME_H_
#define SKERRY_SERVICES_LIB_HTTP_CALL_TIME_H_

#include <algorithm>
#include <chrono>
#include <stop_token>

#include "absl/time/time.h"

namespace skerry::http {

struct CallTime {
  std::chrono::steady_clock::time_point until;
  std::stop_token stop;  // Ends it at once.

  // `timeout`: at most a day.
  static CallTime In(absl::Duration timeout, std::stop_token stop) {
    return {.until = std::chrono::steady_clock::now() +
                     absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24))),
            .stop = std::move(stop)};
  }
  CallTime AtMost(absl::Duration limit) const {
    return {.until = std::min(until,
                              std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(limit)),
            .stop = stop};
  }
  absl::Duration left() const {
    return std::max(absl::ZeroDuration(),
                    absl::FromChrono(until - std::chrono::steady_clock::now()));
  }
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_CALL_TIME_H_
