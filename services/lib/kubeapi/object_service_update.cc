// Changes of objects that are there: update, patch, binding.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/human.h"
#include "services/lib/kubeapi/meta_validation.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/patch.h"

namespace skerry::kubeapi {
namespace {

constexpr int kConflictTries = 5;

ObjectKey KeyOf(const Resource& resource, absl::string_view ns, absl::string_view name) {
  return {resource.StorageName(), std::string(resource.namespaced ? ns : absl::string_view()),
          std::string(name)};
}

// The stored form: without resourceVersion.
std::string Stored(Json object) {
  ErasePath(object, {"metadata", "resourceVersion"});
  return DumpJson(object);
}

// The store's own word, not an answer of the API.
bool IsLostRace(const absl::Status& status) {
  return GetErrorInfo(status).reason == "REVISION_CONFLICT";
}

// Everything but metadata and status, for metadata.generation.
Json Intent(const Json& object) {
  Json intent = object;
  intent.erase("metadata");
  intent.erase("status");
  return intent;
}

bool IsTerminating(const Json& object) {
  return FindPath(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

// What still holds a deleted object back.
bool HasFinalizers(const Resource& resource, const Json& object) {
  if (!ArrayAt(object, {"metadata", "finalizers"}).empty()) return true;
  return resource.StorageName() == "namespaces" && !ArrayAt(object, {"spec", "finalizers"}).empty();
}

// Members of metadata that only the server writes.
void KeepServerMeta(const Json& old, Json& updated) {
  for (const char* name :
       {"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
        "namespace", "name", "resourceVersion", "generateName"}) {
    const Json* member = FindPath(old, {"metadata", name});
    if (member != nullptr) {
      updated["metadata"][name] = *member;
    } else {
      updated["metadata"].erase(name);
    }
  }
  updated["metadata"].erase("managedFields");
  updated["metadata"].erase("selfLink");
}

absl::Status CheckAgainst(const Resource& resource, const Json& old, const Json& updated) {
  const std::string name = StringAt(old, {"metadata", "name"});
  const std::string uid = StringAt(updated, {"metadata", "uid"});
  if (!uid.empty() && uid != StringAt(old, {"metadata", "uid"})) {
    return ConflictError(
        resource.About(name),
        absl::StrCat("Precondition failed: UID in precondition: ", uid,
                     ", UID in object meta: ", StringAt(old, {"metadata", "uid"})));
  }
  const std::string version = StringAt(updated, {"metadata", "resourceVersion"});
  if (!version.empty() && version != "0" &&
      version != StringAt(old, {"metadata", "resourceVersion"})) {
    return ConflictError(resource.About(name), kObjectModified);
  }
  const std::string new_name = StringAt(updated, {"metadata", "name"});
  if (new_name != name) {
    return BadRequestError(absl::StrCat("the name of the object (", new_name,
                                        ") does not match the name on the URL (", name, ")"));
  }
  const std::string ns = StringAt(updated, {"metadata", "namespace"});
  if (!ns.empty() && ns != StringAt(old, {"metadata", "namespace"})) {
    return BadRequestError(
        "the namespace of the object does not match the namespace on the request");
  }
  return absl::OkStatus();
}

// Finalizers may only go once an object is being deleted.
void CheckFinalizers(const Json& old, const Json& updated, std::vector<FieldError>& errors) {
  if (!IsTerminating(old)) return;
  const Json& before = ArrayAt(old, {"metadata", "finalizers"});
  for (const Json& finalizer : ArrayAt(updated, {"metadata", "finalizers"})) {
    if (std::find(before.begin(), before.end(), finalizer) == before.end()) {
      errors.push_back(FieldForbidden(
          "metadata.finalizers", absl::StrCat("no new finalizers can be added if the object is "
                                              "being deleted, found new finalizers []string{",
                                              DumpJson(finalizer), "}")));
    }
  }
}

}  // namespace

absl::StatusOr<Json> ObjectService::PrepareUpdate(const Resource& resource, const Json& old,
                                                  absl::string_view subresource,
                                                  Json updated) const {
  KeepServerMeta(old, updated);
  if (subresource == "status") {
    Json merged = old;
    if (!resource.custom) {
      // As Kubernetes: labels, annotations and finalizers may come along with a built-in kind's
      // status.
      merged["metadata"] = updated["metadata"];
    }
    if (updated.contains("status")) {
      merged["status"] = std::move(updated["status"]);
    } else {
      merged.erase("status");
    }
    updated = std::move(merged);
  } else if (subresource == "finalize") {
    Json merged = old;
    merged["spec"]["finalizers"] = ArrayAt(updated, {"spec", "finalizers"});
    updated = std::move(merged);
  } else {
    if (resource.HasSubresource("status")) {
      if (old.contains("status")) {
        updated["status"] = old["status"];
      } else {
        updated.erase("status");
      }
    }
    if (resource.prepare) resource.prepare(updated, &old);
  }
  ApplyDefaults(*resource.schema, resource.dialect, updated);
  if (resource.default_more) resource.default_more(updated);
  std::vector<FieldError> errors;
  ValidateMeta(resource, updated, errors);
  CheckFinalizers(old, updated, errors);
  Validate(*resource.schema, resource.dialect, updated, "", errors);
  if (subresource.empty()) {
    if (resource.validate) resource.validate(updated, errors);
    if (resource.validate_update) resource.validate_update(updated, old, errors);
  }
  if (!errors.empty())
    return InvalidError(resource.About(StringAt(old, {"metadata", "name"})), errors);
  if (resource.generation && Intent(updated) != Intent(old)) {
    updated["metadata"]["generation"] = IntAt(old, {"metadata", "generation"}) + 1;
  }
  return updated;
}

absl::StatusOr<Json> ObjectService::Store(const Resource& resource, const Current& current,
                                          Json updated) {
  const std::string ns = StringAt(updated, {"metadata", "namespace"});
  const ObjectKey key = KeyOf(resource, ns, StringAt(updated, {"metadata", "name"}));
  const bool finished = IsTerminating(updated) && !HasFinalizers(resource, updated) &&
                        IntAt(updated, {"metadata", "deletionGracePeriodSeconds"}) == 0;
  if (!finished && updated == current.object) {  // A write that changes nothing is none.
    // But the definition that it confirms may be another server's, and not yet heard of here.
    if (resource.StorageName() == kDefinitionsStorage) Serve(updated, current.revision);
    return updated;
  }
  const absl::StatusOr<StoreRevision> revision = Write(resource, updated, finished, [&] {
    return finished ? store_.Delete(key, current.revision, Stored(updated))
                    : store_.Update(key, Stored(updated), current.revision);
  });
  if (absl::IsNotFound(revision.status())) return NotFoundError(resource.About(key.name));
  SKERRY_RETURN_IF_ERROR(revision.status());
  updated["metadata"]["resourceVersion"] = absl::StrCat(*revision);
  return updated;
}

absl::StatusOr<Json> ObjectService::Modify(const Resource& resource, absl::string_view ns,
                                           absl::string_view name, absl::string_view subresource,
                                           const WriteOptions& options,
                                           std::vector<std::string>& warnings,
                                           const Change& change) {
  for (int tries = 1;; ++tries) {
    SKERRY_ASSIGN_OR_RETURN(const Current current, Load(resource, ns, name));
    SKERRY_ASSIGN_OR_RETURN(Json body, change(current.object));
    std::vector<std::string> texts;
    SKERRY_ASSIGN_OR_RETURN(Json updated, DecodeObject(resource, meta_schema(), std::move(body),
                                                       options.validation, texts));
    SKERRY_RETURN_IF_ERROR(CheckAgainst(resource, current.object, updated));
    SKERRY_ASSIGN_OR_RETURN(
        updated, PrepareUpdate(resource, current.object, subresource, std::move(updated)));
    if (options.dry_run) {
      warnings.insert(warnings.end(), texts.begin(), texts.end());
      return updated;
    }
    absl::StatusOr<Json> stored = Store(resource, current, std::move(updated));
    // Somebody else wrote in between: with a resourceVersion in hand CheckAgainst says so in the
    // next round.
    if (IsLostRace(stored.status()) && tries < kConflictTries) continue;
    if (IsLostRace(stored.status())) return ConflictError(resource.About(name), kObjectModified);
    warnings.insert(warnings.end(), texts.begin(), texts.end());
    return stored;
  }
}

absl::StatusOr<Json> ObjectService::Update(const Resource& resource, absl::string_view ns,
                                           absl::string_view name, absl::string_view subresource,
                                           Json body, const WriteOptions& options,
                                           std::vector<std::string>& warnings) {
  if (!resource.unconditional_update && body.is_object() &&
      StringAt(body, {"metadata", "resourceVersion"}).empty()) {
    return InvalidError(resource.About(name), {FieldInvalid("metadata.resourceVersion", 0,
                                                            "must be specified for an update")});
  }
  return Modify(resource, ns, name, subresource, options, warnings,
                [&](const Json&) -> absl::StatusOr<Json> { return body; });
}

absl::StatusOr<Json> ObjectService::Patch(const Resource& resource, absl::string_view ns,
                                          absl::string_view name, absl::string_view subresource,
                                          PatchType type, const Json& patch,
                                          const WriteOptions& options,
                                          std::vector<std::string>& warnings) {
  return Modify(resource, ns, name, subresource, options, warnings,
                [&](const Json& old) -> absl::StatusOr<Json> {
                  switch (type) {
                    case PatchType::kJson:
                      return ApplyJsonPatch(old, patch);
                    case PatchType::kMerge:
                      return ApplyMergePatch(old, patch);
                    case PatchType::kStrategicMerge:
                      break;
                  }
                  return ApplyStrategicMergePatch(*resource.schema, old, patch);
                });
}

absl::Status ObjectService::Bind(absl::string_view ns, absl::string_view pod, const Json& binding,
                                 bool dry_run) {
  const ResourcePtr pods = registry_.Find("", "v1", "pods");
  const std::string node = StringAt(binding, {"target", "name"});
  const std::string kind = StringAt(binding, {"target", "kind"});
  if (node.empty()) {
    return InvalidError({"", "bindings", "Binding", std::string(pod)},
                        {FieldRequired("target.name")});
  }
  if (!kind.empty() && kind != "Node") {
    return InvalidError({"", "bindings", "Binding", std::string(pod)},
                        {FieldNotSupported("target.kind", kind, {"Node", "<empty>"})});
  }
  for (int tries = 1;; ++tries) {
    SKERRY_ASSIGN_OR_RETURN(const Current current, Load(*pods, ns, pod));
    const std::string uid = StringAt(binding, {"metadata", "uid"});
    if (!uid.empty() && uid != StringAt(current.object, {"metadata", "uid"})) {
      return ConflictError(pods->About(pod), "the uid of the binding is not the pod's");
    }
    if (IsTerminating(current.object)) {
      return ConflictError(
          pods->About(pod),
          absl::StrCat("pod ", pod, " is being deleted, cannot be assigned to a host"));
    }
    const std::string assigned = StringAt(current.object, {"spec", "nodeName"});
    if (!assigned.empty()) {
      return ConflictError(
          pods->About(pod),
          absl::StrCat("pod ", pod, " is already assigned to node \"", assigned, "\""));
    }
    Json updated = current.object;
    updated["spec"]["nodeName"] = node;
    Json conditions = Json::array();
    for (const Json& condition : ArrayAt(updated, {"status", "conditions"})) {
      if (StringAt(condition, {"type"}) != "PodScheduled") conditions.push_back(condition);
    }
    conditions.push_back({{"type", "PodScheduled"},
                          {"status", "True"},
                          {"lastTransitionTime", KubeTime(clock_.Now())}});
    updated["status"]["conditions"] = std::move(conditions);
    if (dry_run) return absl::OkStatus();
    const absl::Status stored = Store(*pods, current, std::move(updated)).status();
    if (!IsLostRace(stored)) return stored;
    if (tries >= kConflictTries) return ConflictError(pods->About(pod), kObjectModified);
  }
}

}  // namespace skerry::kubeapi
