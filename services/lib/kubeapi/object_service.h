// The verbs of the Kubernetes API on stored objects: create, get, list, update, patch, delete.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_OBJECT_SERVICE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_OBJECT_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/kubeapi/decode.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/resource.h"
#include "services/lib/kubeapi/resource_registry.h"
#include "services/lib/kubeapi/selectors.h"
#include "services/lib/kubeapi/store/object_store.h"

namespace skerry::kubeapi {

enum class PatchType { kJson, kMerge, kStrategicMerge };

struct WriteOptions {
  bool dry_run = false;
  FieldValidation validation = FieldValidation::kWarn;
};

struct DeleteOptions {
  std::optional<int64_t> grace_period_seconds;
  std::string uid;  // Preconditions; empty: none.
  std::string resource_version;
  bool dry_run = false;
};

struct ListOptions {
  LabelSelector labels;
  FieldSelector fields;
  size_t limit = 0;
  std::string continue_token;
  std::string resource_version;
  std::string resource_version_match;
};

struct ListResult {
  std::vector<Json> items;
  size_t bytes = 0;  // Of the items, as they are stored.
  StoreRevision revision = 0;
  std::string continue_token;  // Empty: that was the last page.
};

struct DeleteResult {
  Json object;
  bool gone = false;  // False: it waits for its grace period or finalizers.
};

struct ObjectServiceOptions {
  // Namespaced objects are only created in namespaces that exist and are not being deleted.
  bool check_namespaces = true;
};

// Any thread may call it; calls block on the store. Store, registry and clock outlive it. Errors
// are those of the Kubernetes API (api_status.h). Objects returned carry apiVersion, kind and
// metadata.resourceVersion.
class ObjectService {
 public:
  ObjectService(ObjectStore& store, ResourceRegistry& registry, Clock& clock,
                ObjectServiceOptions options);

  absl::StatusOr<Json> Get(const Resource& resource, absl::string_view ns, absl::string_view name);
  absl::StatusOr<ListResult> List(const Resource& resource, absl::string_view ns,
                                  const ListOptions& options);
  absl::StatusOr<Json> Create(const Resource& resource, absl::string_view ns, Json body,
                              const WriteOptions& options, std::vector<std::string>& warnings);
  absl::StatusOr<Json> Update(const Resource& resource, absl::string_view ns,
                              absl::string_view name, absl::string_view subresource, Json body,
                              const WriteOptions& options, std::vector<std::string>& warnings);
  absl::StatusOr<Json> Patch(const Resource& resource, absl::string_view ns, absl::string_view name,
                             absl::string_view subresource, PatchType type, const Json& patch,
                             const WriteOptions& options, std::vector<std::string>& warnings);
  absl::StatusOr<DeleteResult> Delete(const Resource& resource, absl::string_view ns,
                                      absl::string_view name, const DeleteOptions& options);
  // All that the selectors match. The list as it was.
  absl::StatusOr<ListResult> DeleteCollection(const Resource& resource, absl::string_view ns,
                                              const ListOptions& selection,
                                              const DeleteOptions& options);
  // pods/binding: gives the pod its node.
  absl::Status Bind(absl::string_view ns, absl::string_view pod, const Json& binding, bool dry_run);

  // The object as the API shows it.
  static absl::StatusOr<Json> Decorate(const Resource& resource, absl::string_view json,
                                       StoreRevision revision);

 private:
  struct Current {
    Json object;  // Decorated.
    StoreRevision revision = 0;
  };
  // What a write makes of the object that is there.
  using Change = std::function<absl::StatusOr<Json>(const Json& old)>;

  absl::StatusOr<Current> Load(const Resource& resource, absl::string_view ns,
                               absl::string_view name);
  absl::StatusOr<Json> Modify(const Resource& resource, absl::string_view ns,
                              absl::string_view name, absl::string_view subresource,
                              const WriteOptions& options, std::vector<std::string>& warnings,
                              const Change& change);
  absl::StatusOr<Json> PrepareUpdate(const Resource& resource, const Json& old,
                                     absl::string_view subresource, Json updated) const;
  absl::Status CheckNamespace(const Resource& resource, absl::string_view ns,
                              absl::string_view name);
  absl::StatusOr<Json> Store(const Resource& resource, const Current& current, Json updated);
  absl::StatusOr<DeleteResult> DeleteOnce(const Resource& resource, const ObjectKey& key,
                                          const DeleteOptions& options);
  // Runs `write`, which stores `object` or, with `gone`, deletes it. What a definition declares is
  // served before its writer has the answer, and a kind is withdrawn before anyone can see that its
  // definition is gone; DefinitionFollower does the same for other servers' writes.
  absl::StatusOr<StoreRevision> Write(const Resource& resource, const Json& object, bool gone,
                                      absl::FunctionRef<absl::StatusOr<StoreRevision>()> write);
  void Serve(const Json& definition, StoreRevision revision);
  const Schema& meta_schema() const { return *meta_schema_; }

  ObjectStore& store_;
  ResourceRegistry& registry_;
  Clock& clock_;
  const ObjectServiceOptions options_;
  SchemaPtr meta_schema_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_OBJECT_SERVICE_H_
