// A client of an ApiServer in the same process: the same pipeline as over HTTP, without sockets.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_LOCAL_CLIENT_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_LOCAL_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// Any thread may call it; calls block on the store. The server outlives it and its watches.
class LocalClient {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;

  LocalClient(ApiServer& server, Caller caller) : server_(server), caller_(std::move(caller)) {}

  // The answer's object. Errors as api_status.h makes them: StatusReason() tells them apart.
  absl::StatusOr<Json> Call(absl::string_view method, absl::string_view path,
                            const Query& query = {}, const Json* body = nullptr,
                            absl::string_view content_type = "application/json");
  absl::StatusOr<Json> Get(absl::string_view path, const Query& query = {}) {
    return Call("GET", path, query);
  }
  absl::StatusOr<Json> Post(absl::string_view path, const Json& body) {
    return Call("POST", path, {}, &body);
  }
  absl::StatusOr<Json> Put(absl::string_view path, const Json& body) {
    return Call("PUT", path, {}, &body);
  }
  absl::StatusOr<Json> MergePatch(absl::string_view path, const Json& body) {
    return Call("PATCH", path, {}, &body, "application/merge-patch+json");
  }
  absl::StatusOr<Json> StrategicPatch(absl::string_view path, const Json& body) {
    return Call("PATCH", path, {}, &body, "application/strategic-merge-patch+json");
  }
  absl::StatusOr<Json> Delete(absl::string_view path, const Query& query = {}) {
    return Call("DELETE", path, query);
  }

  // Ends the watch when it is destroyed; then no call is made any more.
  class WatchHandle {
   public:
    virtual ~WatchHandle() = default;
  };
  struct WatchCallbacks {
    // From the calling thread for what is there already, then from the store's delivery thread.
    // Must not block.
    std::function<void(absl::string_view type, Json object)> on_event;
    std::function<void()> on_closed;  // Last call; not after the handle is gone.
  };
  absl::StatusOr<std::unique_ptr<WatchHandle>> Watch(absl::string_view path, const Query& query,
                                                     WatchCallbacks callbacks);

 private:
  ApiServer& server_;
  const Caller caller_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_LOCAL_CLIENT_H_
