// Identifiers as types: a NodeName can't be passed where an ObjectKey is meant.
#ifndef SKERRY_SERVICES_LIB_MODEL_NAMES_H_
#define SKERRY_SERVICES_LIB_MODEL_NAMES_H_

#include <compare>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry {

// A node's name: an RFC 1123 subdomain, at most 253 characters (as Kubernetes requires).
class NodeName {
 public:
  static absl::StatusOr<NodeName> Parse(absl::string_view text);
  const std::string& value() const { return value_; }
  auto operator<=>(const NodeName&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const NodeName& n) {
    return H::combine(std::move(h), n.value_);
  }

 private:
  explicit NodeName(absl::string_view value) : value_(value) {}
  std::string value_;
};

// "resource" or "resource.group" in lower case: "pods", "devices.devices.kubeedge.io".
class ResourceType {
 public:
  static absl::StatusOr<ResourceType> Parse(absl::string_view text);
  const std::string& value() const { return value_; }
  auto operator<=>(const ResourceType&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const ResourceType& t) {
    return H::combine(std::move(h), t.value_);
  }

 private:
  explicit ResourceType(absl::string_view value) : value_(value) {}
  std::string value_;
};

// "namespace/name", or "name" for cluster-scoped objects. At most 63 + 1 + 253 characters.
class ObjectKey {
 public:
  static absl::StatusOr<ObjectKey> Parse(absl::string_view text);
  static absl::StatusOr<ObjectKey> Make(absl::string_view object_namespace, absl::string_view name);
  const std::string& value() const { return value_; }
  std::string object_namespace() const;  // Empty for cluster-scoped objects.
  std::string name() const;
  auto operator<=>(const ObjectKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const ObjectKey& k) {
    return H::combine(std::move(h), k.value_);
  }

 private:
  explicit ObjectKey(absl::string_view value) : value_(value) {}
  std::string value_;
};

// A device: "namespace/name", as KubeEdge's device ids are written. A DNS label and an RFC 1123
// subdomain, so that the two are also two levels of an MQTT topic.
class DeviceName {
 public:
  static absl::StatusOr<DeviceName> Parse(absl::string_view text);
  static absl::StatusOr<DeviceName> Make(absl::string_view device_namespace,
                                         absl::string_view name);
  const std::string& value() const { return value_; }
  std::string device_namespace() const;
  std::string name() const;
  auto operator<=>(const DeviceName&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const DeviceName& n) {
    return H::combine(std::move(h), n.value_);
  }

 private:
  explicit DeviceName(absl::string_view value) : value_(value) {}
  std::string value_;
};

std::ostream& operator<<(std::ostream& out, const NodeName& name);
std::ostream& operator<<(std::ostream& out, const ResourceType& type);
std::ostream& operator<<(std::ostream& out, const ObjectKey& key);
std::ostream& operator<<(std::ostream& out, const DeviceName& name);

// Kubernetes' name rules, for those who check whole objects.
bool IsDns1123Label(absl::string_view text);
bool IsDns1123Subdomain(absl::string_view text);

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_MODEL_NAMES_H_
