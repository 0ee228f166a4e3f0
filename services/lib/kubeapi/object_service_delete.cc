// Deletion: preconditions, grace periods, finalizers.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/human.h"
#include "services/lib/kubeapi/object_service.h"

namespace skerry::kubeapi {
namespace {

constexpr int kConflictTries = 5;
constexpr int64_t kDefaultGraceSeconds = 30;

absl::Status CheckPreconditions(const Resource& resource, const Json& object,
                                const DeleteOptions& options) {
  const Subject about = resource.About(StringAt(object, {"metadata", "name"}));
  const std::string uid = StringAt(object, {"metadata", "uid"});
  if (!options.uid.empty() && options.uid != uid) {
    return ConflictError(about, absl::StrCat("Precondition failed: UID in precondition: ",
                                             options.uid, ", UID in object meta: ", uid));
  }
  const std::string version = StringAt(object, {"metadata", "resourceVersion"});
  if (!options.resource_version.empty() && options.resource_version != version) {
    return ConflictError(
        about,
        absl::StrCat("Precondition failed: ResourceVersion in precondition: ",
                     options.resource_version, ", ResourceVersion in object meta: ", version));
  }
  return absl::OkStatus();
}

// How long the object may still live. Only a pod that a node runs gets any time.
int64_t GraceSeconds(const Resource& resource, const Json& object, const DeleteOptions& options) {
  if (!resource.graceful_deletion) return 0;
  const std::string phase = StringAt(object, {"status", "phase"});
  if (StringAt(object, {"spec", "nodeName"}).empty() || phase == "Succeeded" || phase == "Failed")
    return 0;
  const int64_t wanted = options.grace_period_seconds.value_or(
      IntAt(object, {"spec", "terminationGracePeriodSeconds"}, kDefaultGraceSeconds));
  return std::max<int64_t>(wanted, 0);
}

bool HasFinalizers(const Json& object) {
  return !ArrayAt(object, {"metadata", "finalizers"}).empty() ||
         (StringAt(object, {"kind"}) == "Namespace" &&
          !ArrayAt(object, {"spec", "finalizers"}).empty());
}

}  // namespace

absl::StatusOr<DeleteResult> ObjectService::DeleteOnce(const Resource& resource,
                                                       const ObjectKey& key,
                                                       const DeleteOptions& options) {
  SKERRY_ASSIGN_OR_RETURN(Current current, Load(resource, key.object_namespace, key.name));
  Json& object = current.object;
  SKERRY_RETURN_IF_ERROR(CheckPreconditions(resource, object, options));
  const bool already = FindPath(object, {"metadata", "deletionTimestamp"}) != nullptr;
  int64_t grace = GraceSeconds(resource, object, options);
  if (already) {
    const int64_t before = IntAt(object, {"metadata", "deletionGracePeriodSeconds"});
    // A second deletion may only shorten the time.
    if (!options.grace_period_seconds.has_value() || grace >= before) grace = before;
  }
  const bool stays = grace > 0 || HasFinalizers(object);
  Json updated = object;
  if (!already || grace != IntAt(object, {"metadata", "deletionGracePeriodSeconds"})) {
    updated["metadata"]["deletionTimestamp"] = KubeTime(clock_.Now() + absl::Seconds(grace));
    updated["metadata"]["deletionGracePeriodSeconds"] = grace;
    if (resource.generation)
      updated["metadata"]["generation"] = IntAt(object, {"metadata", "generation"}) + 1;
    if (resource.StorageName() == "namespaces") updated["status"]["phase"] = "Terminating";
  }
  if (options.dry_run) return DeleteResult{std::move(updated), !stays};
  if (stays) {
    SKERRY_ASSIGN_OR_RETURN(Json stored, Store(resource, current, std::move(updated)));
    return DeleteResult{std::move(stored), false};
  }
  Json last = updated;
  ErasePath(last, {"metadata", "resourceVersion"});
  const absl::StatusOr<StoreRevision> revision = Write(resource, updated, /*gone=*/true, [&] {
    return store_.Delete(key, current.revision, DumpJson(last));
  });
  if (absl::IsNotFound(revision.status())) return NotFoundError(resource.About(key.name));
  SKERRY_RETURN_IF_ERROR(revision.status());
  updated["metadata"]["resourceVersion"] = absl::StrCat(*revision);
  return DeleteResult{std::move(updated), true};
}

absl::StatusOr<DeleteResult> ObjectService::Delete(const Resource& resource, absl::string_view ns,
                                                   absl::string_view name,
                                                   const DeleteOptions& options) {
  const ObjectKey key = {resource.StorageName(),
                         std::string(resource.namespaced ? ns : absl::string_view()),
                         std::string(name)};
  for (int tries = 1;; ++tries) {
    absl::StatusOr<DeleteResult> result = DeleteOnce(resource, key, options);
    // Somebody else wrote in between; preconditions are checked again against what is there now.
    if (GetErrorInfo(result.status()).reason != "REVISION_CONFLICT") return result;
    if (tries >= kConflictTries) return ConflictError(resource.About(name), kObjectModified);
  }
}

absl::StatusOr<ListResult> ObjectService::DeleteCollection(const Resource& resource,
                                                           absl::string_view ns,
                                                           const ListOptions& selection,
                                                           const DeleteOptions& options) {
  SKERRY_ASSIGN_OR_RETURN(ListResult list, List(resource, ns, selection));
  for (const Json& object : list.items) {
    const absl::StatusOr<DeleteResult> deleted =
        Delete(resource, StringAt(object, {"metadata", "namespace"}),
               StringAt(object, {"metadata", "name"}), options);
    if (!deleted.ok() && StatusReason(deleted.status()) != "NotFound") return deleted.status();
  }
  return list;
}

}  // namespace skerry::kubeapi
