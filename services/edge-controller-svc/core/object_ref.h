// An object as the link names it, and the types that this service serves.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_OBJECT_REF_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_OBJECT_REF_H_

#include <compare>
#include <string>

namespace skerry::edgecontroller {

inline constexpr char kPods[] = "pods";
inline constexpr char kConfigMaps[] = "configmaps";
inline constexpr char kSecrets[] = "secrets";
inline constexpr char kServiceAccounts[] = "serviceaccounts";
inline constexpr char kNodes[] = "nodes";

struct ObjectRef {
  std::string type;
  std::string key;  // "namespace/name", or "name" for nodes.
  auto operator<=>(const ObjectRef&) const = default;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_OBJECT_REF_H_
