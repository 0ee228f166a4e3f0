// One kind that is served, by declaration: names, scope, shape, columns and the few rules that are
// its own.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/schema.h"

namespace skerry::kubeapi {

// A column of a server-side table. priority 0: always shown; 1: with -o wide.
struct Column {
  std::string name;
  std::string type = "string";
  std::string format;
  int priority = 0;
  std::string description;
};

// How the object's name is checked.
enum class NameRule {
  kSubdomain,  // RFC 1123 subdomain, 253 characters.
  kLabel,      // RFC 1123 label, 63 characters.
};

// Immutable once registered; any thread may read it. The hooks must be pure.
struct Resource {
  std::string group;    // "" for core.
  std::string version;  // "v1"
  std::string plural;
  std::string singular;
  std::string kind;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool namespaced = true;
  bool custom = false;    // Declared by a CustomResourceDefinition.
  bool virtual_ = false;  // Create only, nothing is stored (SelfSubjectAccessReview).
  NameRule name_rule = NameRule::kSubdomain;
  std::vector<std::string> subresources;  // "status", "binding", "log".
  bool generation = false;  // metadata.generation counts changes outside metadata and status.
  bool graceful_deletion = false;    // Pods.
  bool returns_deleted = false;      // DELETE answers with the object, not with a Status.
  bool unconditional_update = true;  // An update without resourceVersion is allowed.
  Dialect dialect = Dialect::kGo;
  SchemaPtr schema;
  std::vector<std::string> selectable;  // Field labels beside metadata.name and metadata.namespace.

  std::vector<Column> columns;
  // The cells of one row, as many as columns.
  std::function<Json(const Json& object, absl::Time now)> cells;

  // Before defaults and validation of a write; `old` is null on create. Sets what the server owns.
  std::function<void(Json& object, const Json* old)> prepare;
  // After the schema's defaults.
  std::function<void(Json& object)> default_more;
  std::function<void(const Json& object, std::vector<FieldError>& errors)> validate;
  std::function<void(const Json& object, const Json& old, std::vector<FieldError>& errors)>
      validate_update;

  std::string ApiVersion() const {
    return group.empty() ? version : absl::StrCat(group, "/", version);
  }
  // How the store calls it: "pods", "leases.coordination.k8s.io".
  std::string StorageName() const {
    return group.empty() ? plural : absl::StrCat(plural, ".", group);
  }
  bool HasSubresource(absl::string_view name) const {
    return std::find(subresources.begin(), subresources.end(), name) != subresources.end();
  }
  Subject About(absl::string_view name) const { return {group, plural, kind, std::string(name)}; }
};

using ResourcePtr = std::shared_ptr<const Resource>;

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_H_
