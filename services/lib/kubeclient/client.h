// The Kubernetes API as its consumers see it.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_CLIENT_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/kubeclient/resource.h"
#include "services/lib/model/kube_object.h"

namespace skerry::kubeclient {

struct CallOptions {
  absl::Duration timeout = absl::Seconds(10);
  std::stop_token stop;  // Ends the call with CANCELLED.
};

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  int64_t limit = 0;             // 0 is all at once.
  std::string continue_token;    // Of the page before.
  std::string resource_version;  // Empty is the newest.
  CallOptions call{.timeout = absl::Seconds(60)};
};

struct ObjectList {
  std::vector<KubeObject> items;
  std::string resource_version;
  std::string continue_token;  // Empty on the last page.
};

struct WatchOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  bool bookmarks = true;
  absl::Duration timeout = absl::Minutes(5);  // The server ends the watch then.
  std::stop_token stop;
};

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark };
  Type type = Type::kAdded;
  std::optional<KubeObject> object;  // Not for bookmarks.
  std::string resource_version;
};

enum class PatchType { kMerge, kJson, kStrategicMerge, kApply };

struct PatchOptions {
  std::string subresource;    // "status".
  std::string field_manager;  // Required by kApply.
  bool force = false;         // kApply only.
  CallOptions call;
};

struct DeleteOptions {
  std::optional<int64_t> grace_period_seconds;
  std::string uid;               // Precondition.
  std::string resource_version;  // Precondition.
  std::string propagation;       // "Background", "Foreground", "Orphan".
  CallOptions call;
};

// Any thread may call it; calls block. Every call has a deadline and a bound on the answer's bytes.
// Errors (see api_errors.h): NOT_FOUND, ALREADY_EXISTS, ABORTED (conflict), PERMISSION_DENIED,
// UNAUTHENTICATED, INVALID_ARGUMENT (with the causes), OUT_OF_RANGE (410: list anew),
// RESOURCE_EXHAUSTED (answer too large), UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED.
// `object_namespace` is empty for cluster-scoped resources, and for lists and watches over all
// namespaces.
class Client {
 public:
  virtual ~Client() = default;

  virtual absl::StatusOr<KubeObject> Get(const Resource& resource,
                                         absl::string_view object_namespace, absl::string_view name,
                                         const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<ObjectList> List(const Resource& resource,
                                          absl::string_view object_namespace,
                                          const ListOptions& options = {}) = 0;
  // Bodies are JSON.
  virtual absl::StatusOr<KubeObject> Create(const Resource& resource,
                                            absl::string_view object_namespace,
                                            absl::string_view body,
                                            const CallOptions& options = {}) = 0;
  // Replaces the object; metadata.resourceVersion in the body makes it conditional.
  virtual absl::StatusOr<KubeObject> Update(const Resource& resource,
                                            absl::string_view object_namespace,
                                            absl::string_view name, absl::string_view body,
                                            absl::string_view subresource = "",
                                            const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<KubeObject> Patch(const Resource& resource,
                                           absl::string_view object_namespace,
                                           absl::string_view name, PatchType type,
                                           absl::string_view patch,
                                           const PatchOptions& options = {}) = 0;
  virtual absl::Status Delete(const Resource& resource, absl::string_view object_namespace,
                              absl::string_view name, const DeleteOptions& options = {}) = 0;
  // Blocks until the watch ends; `on_event` runs on the calling thread. OK: the server ended it
  // (its time was up, or the connection closed): watch on from the last version. OUT_OF_RANGE: list
  // anew.
  virtual absl::Status Watch(const Resource& resource, absl::string_view object_namespace,
                             const WatchOptions& options,
                             const std::function<void(WatchEvent event)>& on_event) = 0;
  // GET of any path ("/readyz", "/version"); the body as it is.
  virtual absl::StatusOr<std::string> GetRaw(absl::string_view path,
                                             const CallOptions& options = {}) = 0;

  absl::StatusOr<KubeObject> UpdateStatus(const Resource& resource,
                                          absl::string_view object_namespace,
                                          absl::string_view name, absl::string_view body,
                                          const CallOptions& options = {}) {
    return Update(resource, object_namespace, name, body, "status", options);
  }
  absl::StatusOr<KubeObject> PatchStatus(const Resource& resource,
                                         absl::string_view object_namespace, absl::string_view name,
                                         PatchType type, absl::string_view patch,
                                         PatchOptions options = {}) {
    options.subresource = "status";
    return Patch(resource, object_namespace, name, type, patch, options);
  }
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_CLIENT_H_
