// Request targets: "/api/v1/pods?watch=1" into a decoded path and query.
#ifndef SKERRY_SERVICES_LIB_HTTP_REQUEST_TARGET_H_
#define SKERRY_SERVICES_LIB_HTTP_REQUEST_TARGET_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::http {

struct RequestTarget {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

// INVALID_ARGUMENT for a target that is no absolute path, a bad percent escape, a NUL, or more than
// 256 query parameters. A '+' in the query is a space.
absl::StatusOr<RequestTarget> ParseRequestTarget(absl::string_view target);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_REQUEST_TARGET_H_
