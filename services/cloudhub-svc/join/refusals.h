// What the join port says no with.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_REFUSALS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_REFUSALS_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/lib/http/server.h"

namespace skerry::cloudhub {

struct Refusal {
  const char* reason;  // Of the error.
  int status;          // HTTP's.
  const char* fix;     // For the operator.
};

// All there are; the last one, INTERNAL, is for every error that the others do not name.
absl::Span<const Refusal> AllRefusals();
const Refusal& RefusalOf(const absl::Status& status);

// {"code", "reason", "message", "fix"}.
http::Response RefusalResponse(const absl::Status& status);

http::Response JsonResponse(int status, const nlohmann::json& body);
std::string Rfc3339(absl::Time time);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_REFUSALS_H_
