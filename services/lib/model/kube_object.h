// A Kubernetes object as a value.
#ifndef SKERRY_SERVICES_LIB_MODEL_KUBE_OBJECT_H_
#define SKERRY_SERVICES_LIB_MODEL_KUBE_OBJECT_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry {

// Immutable, cheap to copy, safe to share between threads. Kept as compact JSON text, because
// caches hold very many and a parsed tree takes ten times the memory; the metadata that everyone
// asks for is beside it. metadata.managedFields is dropped: nothing here uses it, and it is often
// half of the object.
class KubeObject {
 public:
  // INVALID_ARGUMENT unless it is a JSON object with metadata.name.
  static absl::StatusOr<KubeObject> Parse(absl::string_view text);
  static absl::StatusOr<KubeObject> FromJson(nlohmann::json value);

  const std::string& text() const { return data_->text; }
  nlohmann::json Json() const;

  const std::string& api_version() const { return data_->api_version; }
  const std::string& kind() const { return data_->kind; }
  const std::string& object_namespace() const { return data_->object_namespace; }
  const std::string& name() const { return data_->name; }
  // "namespace/name", or "name" for cluster-scoped objects.
  const std::string& key() const { return data_->key; }
  const std::string& uid() const { return data_->uid; }
  const std::string& resource_version() const { return data_->resource_version; }
  // metadata.deletionTimestamp is set.
  bool deleting() const { return data_->deleting; }

 private:
  struct Data {
    std::string text;
    std::string api_version;
    std::string kind;
    std::string object_namespace;
    std::string name;
    std::string key;
    std::string uid;
    std::string resource_version;
    bool deleting = false;
  };
  explicit KubeObject(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  std::shared_ptr<const Data> data_;
};

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_MODEL_KUBE_OBJECT_H_
