// What the API server needs to know about its callers; services/lib/kubeapi/auth implements it.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_ACCESS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_ACCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/request_info.h"

namespace skerry::kubeapi {

struct Caller {
  std::string name;  // "system:node:edge-1"
  std::vector<std::string> groups;
  // A part of this very process (a controller beside the server): may do everything, whatever the
  // policy says. Never set by Authenticate.
  bool in_process = false;
};

struct TokenOwner {
  Caller caller;
  std::vector<std::string> audiences;  // Those of the asked ones that the token is for.
};

// Any thread may call it.
class AccessControl {
 public:
  virtual ~AccessControl() = default;
  // UNAUTHENTICATED: no credentials, or none that are known.
  virtual absl::StatusOr<Caller> Authenticate(const http::Request& request) = 0;
  // Whose a token is that somebody who is one of `audiences` (empty: this API server) was shown.
  // UNAUTHENTICATED: nobody's, or for others.
  virtual absl::StatusOr<TokenOwner> Review(absl::string_view token,
                                            const std::vector<std::string>& audiences) = 0;
  // May `caller` do this? `info` may be a path outside the resources.
  virtual bool Allows(const Caller& caller, const RequestInfo& info) = 0;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_ACCESS_H_
