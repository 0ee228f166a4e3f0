#include "services/lib/kubeapi/object_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/human.h"
#include "services/lib/kubeapi/meta_validation.h"
#include "services/lib/kubeapi/patch.h"
#include "services/lib/kubeapi/random.h"

namespace skerry::kubeapi {
namespace {

constexpr int kNameTries = 8;
constexpr size_t kGeneratedNameBase = 58;
constexpr char kMetaType[] = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

ObjectKey KeyOf(const Resource& resource, absl::string_view ns, absl::string_view name) {
  return {resource.StorageName(), std::string(resource.namespaced ? ns : absl::string_view()),
          std::string(name)};
}

// The stored form: without resourceVersion.
std::string Stored(Json object) {
  ErasePath(object, {"metadata", "resourceVersion"});
  return DumpJson(object);
}

bool IsTerminating(const Json& object) {
  return FindPath(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

}  // namespace

ObjectService::ObjectService(ObjectStore& store, ResourceRegistry& registry, Clock& clock,
                             ObjectServiceOptions options)
    : store_(store), registry_(registry), clock_(clock), options_(options) {
  const auto meta = registry_.types().find(kMetaType);
  SKERRY_CHECK(meta != registry_.types().end());
  meta_schema_ = meta->second;
}

absl::StatusOr<Json> ObjectService::Decorate(const Resource& resource, absl::string_view json,
                                             StoreRevision revision) {
  absl::StatusOr<Json> object = ParseJson(json);
  if (!object.ok() || !object->is_object()) {
    return Error(absl::StatusCode::kDataLoss, "a stored object is not readable")
        .Reason("STORED_OBJECT_BROKEN");
  }
  (*object)["apiVersion"] = resource.ApiVersion();
  (*object)["kind"] = resource.kind;
  SetPath(*object, {"metadata", "resourceVersion"}, absl::StrCat(revision));
  return object;
}

absl::StatusOr<ObjectService::Current> ObjectService::Load(const Resource& resource,
                                                           absl::string_view ns,
                                                           absl::string_view name) {
  absl::StatusOr<StoredObject> stored = store_.Get(KeyOf(resource, ns, name));
  if (absl::IsNotFound(stored.status())) return NotFoundError(resource.About(name));
  SKERRY_RETURN_IF_ERROR(stored.status());
  SKERRY_ASSIGN_OR_RETURN(Json object, Decorate(resource, stored->json, stored->revision));
  return Current{std::move(object), stored->revision};
}

absl::StatusOr<Json> ObjectService::Get(const Resource& resource, absl::string_view ns,
                                        absl::string_view name) {
  SKERRY_ASSIGN_OR_RETURN(Current current, Load(resource, ns, name));
  return std::move(current.object);
}

absl::Status ObjectService::CheckNamespace(const Resource& resource, absl::string_view ns,
                                           absl::string_view name) {
  if (!options_.check_namespaces || !resource.namespaced) return absl::OkStatus();
  const ResourcePtr namespaces = registry_.Find("", "v1", "namespaces");
  SKERRY_ASSIGN_OR_RETURN(const Json found, Get(*namespaces, "", ns));
  if (IsTerminating(found)) {
    return ForbiddenError(resource.About(name),
                          absl::StrCat("unable to create new content in namespace ", ns,
                                       " because it is being terminated"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> ObjectService::Create(const Resource& resource, absl::string_view ns,
                                           Json body, const WriteOptions& options,
                                           std::vector<std::string>& warnings) {
  SKERRY_ASSIGN_OR_RETURN(Json object, DecodeObject(resource, meta_schema(), std::move(body),
                                                    options.validation, warnings));
  if (!StringAt(object, {"metadata", "resourceVersion"}).empty()) {
    return BadRequestError("resourceVersion should not be set on objects to be created");
  }
  const std::string body_ns = StringAt(object, {"metadata", "namespace"});
  if (resource.namespaced) {
    if (!body_ns.empty() && body_ns != ns) {
      return BadRequestError(absl::StrCat(
          "the namespace of the provided object does not match the namespace sent on the request"));
    }
    object["metadata"]["namespace"] = std::string(ns);
  }
  for (const char* name : {"deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
                           "selfLink", "generation"}) {
    object["metadata"].erase(name);
  }
  object["metadata"]["uid"] = NewUid();
  object["metadata"]["creationTimestamp"] = KubeTime(clock_.Now());
  if (resource.generation) object["metadata"]["generation"] = 1;
  if (resource.custom && resource.HasSubresource("status")) object.erase("status");

  const std::string base = StringAt(object, {"metadata", "generateName"});
  const bool generate = StringAt(object, {"metadata", "name"}).empty() && !base.empty();
  SKERRY_RETURN_IF_ERROR(CheckNamespace(resource, ns, StringAt(object, {"metadata", "name"})));
  for (int tries = 1;; ++tries) {
    if (generate) object["metadata"]["name"] = base.substr(0, kGeneratedNameBase) + NameSuffix();
    Json candidate = object;
    if (resource.prepare) resource.prepare(candidate, nullptr);
    ApplyDefaults(*resource.schema, resource.dialect, candidate);
    if (resource.default_more) resource.default_more(candidate);
    std::vector<FieldError> errors;
    ValidateMeta(resource, candidate, errors);
    Validate(*resource.schema, resource.dialect, candidate, "", errors);
    if (resource.validate) resource.validate(candidate, errors);
    const std::string name = StringAt(candidate, {"metadata", "name"});
    if (!errors.empty()) return InvalidError(resource.About(name), errors);
    const ObjectKey key = KeyOf(resource, ns, name);
    if (options.dry_run) {
      if (store_.Get(key).ok()) return AlreadyExistsError(resource.About(name));
      return candidate;
    }
    const absl::StatusOr<StoreRevision> revision = Write(
        resource, candidate, /*gone=*/false, [&] { return store_.Create(key, Stored(candidate)); });
    if (absl::IsAlreadyExists(revision.status())) {
      if (generate && tries < kNameTries) continue;
      return AlreadyExistsError(resource.About(name));
    }
    SKERRY_RETURN_IF_ERROR(revision.status());
    candidate["metadata"]["resourceVersion"] = absl::StrCat(*revision);
    return candidate;
  }
}

absl::StatusOr<StoreRevision> ObjectService::Write(
    const Resource& resource, const Json& object, bool gone,
    absl::FunctionRef<absl::StatusOr<StoreRevision>()> write) {
  if (resource.StorageName() != kDefinitionsStorage) return write();
  if (!gone) {
    absl::StatusOr<StoreRevision> revision = write();
    if (revision.ok()) Serve(object, *revision);
    return revision;
  }
  ResourceRegistry::Withdrawal withdrawal(&registry_, StringAt(object, {"metadata", "name"}));
  absl::StatusOr<StoreRevision> revision = write();
  if (revision.ok()) withdrawal.Confirm(*revision);
  return revision;
}

void ObjectService::Serve(const Json& definition, StoreRevision revision) {
  absl::StatusOr<std::vector<ResourcePtr>> resources = MakeCustomResources(definition);
  if (resources.ok()) {
    registry_.SetCustom(StringAt(definition, {"metadata", "name"}), revision,
                        *std::move(resources));
  }
}

}  // namespace skerry::kubeapi
