#include "services/standalone-api-svc/controllers/bootstrap.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::standaloneapi {
namespace {

using kubeapi::Json;

kubeapi::ResourcePtr FindKind(const kubeapi::ResourceRegistry& registry,
                              const std::string& api_version, const std::string& kind) {
  for (const kubeapi::ResourcePtr& resource : registry.All()) {
    if (resource->ApiVersion() == api_version && resource->kind == kind) return resource;
  }
  return nullptr;
}

absl::Status Apply(kubeapi::LocalClient& client, const kubeapi::ResourceRegistry& registry,
                   const Json& manifest) {
  const std::string api_version = kubeapi::StringAt(manifest, {"apiVersion"});
  const std::string kind = kubeapi::StringAt(manifest, {"kind"});
  const kubeapi::ResourcePtr resource = FindKind(registry, api_version, kind);
  if (resource == nullptr) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("no kind ", kind, " in ", api_version, " is served"));
  }
  std::string path = resource->group.empty() ? absl::StrCat("/api/", api_version)
                                             : absl::StrCat("/apis/", api_version);
  if (resource->namespaced) {
    const std::string ns = kubeapi::StringAt(manifest, {"metadata", "namespace"});
    absl::StrAppend(&path, "/namespaces/", ns.empty() ? "default" : ns);
  }
  absl::StrAppend(&path, "/", resource->plural);
  const absl::Status created = client.Post(path, manifest).status();
  if (created.ok() || kubeapi::StatusReason(created) != "AlreadyExists") return created;
  const std::string name = kubeapi::StringAt(manifest, {"metadata", "name"});
  return client.MergePatch(absl::StrCat(path, "/", name), manifest).status();
}

}  // namespace

absl::Status EnsureNamespaces(kubeapi::LocalClient& client) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    const Json ns = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
    const absl::Status status = client.Post("/api/v1/namespaces", ns).status();
    if (!status.ok() && kubeapi::StatusReason(status) != "AlreadyExists") return status;
  }
  return absl::OkStatus();
}

absl::Status ApplyManifests(kubeapi::LocalClient& client, const kubeapi::ResourceRegistry& registry,
                            const std::vector<Json>& manifests) {
  for (const Json& manifest : manifests) {
    const absl::Status status = Apply(client, registry, manifest);
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("manifest ", kubeapi::StringAt(manifest, {"kind"}), " ",
                                           kubeapi::StringAt(manifest, {"metadata", "name"})));
    }
  }
  return absl::OkStatus();
}

}  // namespace skerry::standaloneapi
