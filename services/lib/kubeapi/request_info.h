// What a Kubernetes API request is about, from its method, path and query.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_REQUEST_INFO_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_REQUEST_INFO_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::kubeapi {

// As k8s.io/apiserver's request.RequestInfo.
struct RequestInfo {
  bool is_resource = false;  // Under /api/v1/… or /apis/group/version/…, with a resource named.
  std::string path;
  std::string verb;     // "get", "list", "watch", "create", "update", "patch", "delete",
                        // "deletecollection"; else the method.
  std::string group;    // "" for core.
  std::string version;  // "v1"
  std::string ns;       // Empty: all namespaces, or a cluster-scoped resource.
  std::string resource;
  std::string name;
  std::string subresource;
};

// `path` is percent-decoded. A path that is no resource's has is_resource false and the method, in
// lower case, as its verb.
RequestInfo ParseRequest(absl::string_view method, absl::string_view path,
                         const std::vector<std::pair<std::string, std::string>>& query);

// Query values of "true" and "1".
bool IsTrue(absl::string_view value);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_REQUEST_INFO_H_
