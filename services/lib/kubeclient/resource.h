// Where a kind of object lives in the Kubernetes API.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_RESOURCE_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_RESOURCE_H_

#include <string>

namespace skerry::kubeclient {

struct Resource {
  std::string group;  // Empty for the core group.
  std::string version;
  std::string plural;
  bool namespaced = true;
};

inline Resource Pods() { return {"", "v1", "pods", true}; }
inline Resource ConfigMaps() { return {"", "v1", "configmaps", true}; }
inline Resource Secrets() { return {"", "v1", "secrets", true}; }
inline Resource ServiceAccounts() { return {"", "v1", "serviceaccounts", true}; }
inline Resource Events() { return {"", "v1", "events", true}; }
inline Resource Nodes() { return {"", "v1", "nodes", false}; }
inline Resource Namespaces() { return {"", "v1", "namespaces", false}; }
inline Resource Leases() { return {"coordination.k8s.io", "v1", "leases", true}; }

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_RESOURCE_H_
