#include "services/lib/kubeapi/status_response.h"

#include <nlohmann/json.hpp>

#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

http::Response StatusResponse(const absl::Status& status) {
  http::Response response = {
      HttpCode(status),
      {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache, private"}},
      DumpJson(StatusObject(status))};
  if (response.status == 429 || response.status == 503)
    response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace skerry::kubeapi
