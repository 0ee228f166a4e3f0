#include "services/router-svc/core/delivery.h"

#include <algorithm>
#include <string>

#include "services/lib/base/error.h"

namespace skerry::router {

Verdict JudgeAnswer(int http_status) {
  if (http_status >= 200 && http_status < 300) return Verdict::kArrived;
  if (http_status == 408 || http_status == 425 || http_status == 429) return Verdict::kAgain;
  if (http_status >= 500 && http_status != 501 && http_status != 505) return Verdict::kAgain;
  return Verdict::kNever;
}

Verdict JudgeError(const absl::Status& status) {
  const std::string reason = GetErrorInfo(status).reason;
  if (reason == "HTTP_ANSWER_TOO_LARGE") return Verdict::kArrived;
  return absl::IsInvalidArgument(status) || absl::IsPermissionDenied(status) ? Verdict::kNever
                                                                             : Verdict::kAgain;
}

absl::Duration Backoff(const DeliveryPolicy& policy, int attempts, double random) {
  absl::Duration base = policy.backoff_min;
  for (int i = 1; i < attempts && base < policy.backoff_max; ++i) base *= 2;
  return std::min(base, policy.backoff_max) * (0.5 + random / 2);
}

}  // namespace skerry::router
