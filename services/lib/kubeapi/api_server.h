// The Kubernetes API over HTTP: from a request to its answer.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_API_SERVER_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_API_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/pod_streams.h"
#include "services/lib/kubeapi/resource_registry.h"
#include "services/lib/kubeapi/server_metrics.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/token_issuer.h"
#include "services/lib/kubeapi/watch.h"
#include "services/lib/log/logger.h"

namespace skerry::kubeapi {

// Parse, authenticate, authorize, dispatch, encode. Any thread may call it; Handle blocks on the
// store. All that it is made of outlives it, and it outlives the HTTP server's streams.
class ApiServer {
 public:
  struct Deps {
    ObjectStore& store;
    ResourceRegistry& registry;
    ObjectService& objects;
    AccessControl& access;
    Clock& clock;
    ServerMetrics& metrics;
    log::Logger log;
    std::function<std::string()> waiting_for;  // For /readyz: empty when ready.
    PodStreams* pod_streams = nullptr;         // Null: logs, exec and the like are not served.
    TokenIssuer* tokens = nullptr;             // Null: ServiceAccounts get no tokens.
  };

  explicit ApiServer(Deps deps)
      : deps_(std::move(deps)), watches_(deps_.objects, deps_.store, deps_.clock) {}

  // An http::Handler.
  void Handle(http::Request request, std::shared_ptr<http::Responder> responder);
  // The same for a caller that is known already (a controller in this process).
  void HandleAs(const Caller& caller, http::Request request,
                std::shared_ptr<http::Responder> responder);

 private:
  struct Call;  // One request on its way.

  void Run(Call& call);
  absl::StatusOr<http::Response> Dispatch(Call& call);
  absl::StatusOr<http::Response> DispatchPath(Call& call);
  absl::StatusOr<http::Response> DispatchResource(Call& call);
  // Log, exec, attach, portforward.
  absl::StatusOr<http::Response> Stream(Call& call);
  absl::StatusOr<http::Response> Get(Call& call);
  absl::StatusOr<http::Response> List(Call& call);
  absl::StatusOr<http::Response> Watch(Call& call);
  absl::StatusOr<http::Response> Create(Call& call);
  absl::StatusOr<http::Response> Update(Call& call);
  absl::StatusOr<http::Response> Patch(Call& call);
  absl::StatusOr<http::Response> Delete(Call& call);
  absl::StatusOr<http::Response> DeleteCollection(Call& call);
  // SelfSubjectAccessReview, SelfSubjectReview.
  absl::StatusOr<http::Response> Review(Call& call, const Json& body);
  // serviceaccounts/token.
  absl::StatusOr<http::Response> CreateToken(Call& call, const Json& body);
  absl::StatusOr<http::Response> ReviewToken(Call& call, const Json& body);
  // `object` in the form that the caller accepts.
  absl::StatusOr<http::Response> Encode(Call& call, int code, const Json& object);

  Deps deps_;
  WatchServer watches_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_API_SERVER_H_
