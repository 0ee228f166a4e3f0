// A Kubernetes API in memory, with KubeEdge's resources of rules.
#ifndef SKERRY_SERVICES_ROUTER_SVC_TESTING_RULES_API_H_
#define SKERRY_SERVICES_ROUTER_SVC_TESTING_RULES_API_H_

#include "services/lib/kubeclient/testing/fake_client.h"

namespace skerry::router {

// Their CRDs state no subresource: a patch changes the status with all else.
class RulesApi final : public kubeclient::FakeClient {
 public:
  absl::StatusOr<KubeObject> Patch(const kubeclient::Resource& resource,
                                   absl::string_view object_namespace, absl::string_view name,
                                   kubeclient::PatchType type, absl::string_view patch,
                                   const kubeclient::PatchOptions& options) override {
    if (!options.subresource.empty()) return absl::NotFoundError("no such subresource");
    kubeclient::PatchOptions whole = options;
    whole.subresource = "status";  // All that is ever patched here.
    return FakeClient::Patch(resource, object_namespace, name, type, patch, whole);
  }
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_TESTING_RULES_API_H_
