// A Kubernetes API in memory, for unit tests of controllers.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_TESTING_FAKE_CLIENT_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_TESTING_FAKE_CLIENT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/kubeclient/client.h"

namespace skerry::kubeclient {

// What the controllers rely on: versions and conflicts, preconditions, status as a subresource (but
// of KubeEdge's resources, which have none), generations of those, graceful deletion of bound pods,
// pages, watches with history. Not: validation, defaults, other
// patches than merge, selectors other than "spec.nodeName!=". Any thread may call it.
class FakeClient : public Client {
 public:
  FakeClient();
  ~FakeClient() override;

  // ---- For tests.

  // Writes an object as some other client would; returns it. Aborts on JSON that is no object.
  KubeObject Put(const Resource& resource, absl::string_view json);
  void Remove(const Resource& resource, absl::string_view object_namespace, absl::string_view name);
  std::optional<KubeObject> Peek(const Resource& resource, absl::string_view key) const;
  // Waits until the object is as `want` says.
  bool Await(const Resource& resource, absl::string_view key,
             const std::function<bool(const std::optional<KubeObject>&)>& want,
             absl::Duration limit = absl::Seconds(20)) const;
  // Called before every call, without a lock: an error is the call's result. "GET", "LIST",
  // "CREATE", "UPDATE", "PATCH", "DELETE", "WATCH".
  void SetHook(std::function<absl::Status(absl::string_view verb, const Resource& resource,
                                          absl::string_view name)>
                   hook);
  // Ends all watches with `status`.
  void BreakWatches(const absl::Status& status);
  // Forgets the history: watches from before are OUT_OF_RANGE.
  void Compact();
  int64_t calls(absl::string_view verb) const;

  // ---- Client.

  absl::StatusOr<KubeObject> Get(const Resource& resource, absl::string_view object_namespace,
                                 absl::string_view name, const CallOptions& options) override;
  absl::StatusOr<ObjectList> List(const Resource& resource, absl::string_view object_namespace,
                                  const ListOptions& options) override;
  absl::StatusOr<KubeObject> Create(const Resource& resource, absl::string_view object_namespace,
                                    absl::string_view body, const CallOptions& options) override;
  absl::StatusOr<KubeObject> Update(const Resource& resource, absl::string_view object_namespace,
                                    absl::string_view name, absl::string_view body,
                                    absl::string_view subresource,
                                    const CallOptions& options) override;
  absl::StatusOr<KubeObject> Patch(const Resource& resource, absl::string_view object_namespace,
                                   absl::string_view name, PatchType type, absl::string_view patch,
                                   const PatchOptions& options) override;
  absl::Status Delete(const Resource& resource, absl::string_view object_namespace,
                      absl::string_view name, const DeleteOptions& options) override;
  absl::Status Watch(const Resource& resource, absl::string_view object_namespace,
                     const WatchOptions& options,
                     const std::function<void(WatchEvent event)>& on_event) override;
  absl::StatusOr<std::string> GetRaw(absl::string_view path, const CallOptions& options) override;

 private:
  struct Change {
    int64_t version;
    std::string resource;
    WatchEvent event;
  };
  using Objects = std::map<std::string, KubeObject>;

  absl::Status Enter(absl::string_view verb, const Resource& resource, absl::string_view name);
  absl::StatusOr<KubeObject> FindLocked(const Resource& resource, const std::string& key) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  KubeObject StoreLocked(const Resource& resource, nlohmann::json value, WatchEvent::Type type)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EraseLocked(const Resource& resource, const std::string& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::function<absl::Status(absl::string_view, const Resource&, absl::string_view)> hook_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Objects> objects_ ABSL_GUARDED_BY(mutex_);  // By plural.
  std::deque<Change> history_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t> calls_ ABSL_GUARDED_BY(mutex_);
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 100;
  int64_t compacted_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t next_uid_ ABSL_GUARDED_BY(mutex_) = 1;
  int64_t break_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status break_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_TESTING_FAKE_CLIENT_H_
