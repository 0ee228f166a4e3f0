// A local copy of a collection of the Kubernetes API that follows it.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_INFORMER_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_INFORMER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/resource.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/model/kube_object.h"

namespace skerry::kubeclient {

// One per resource and registry; may outlive informers.
class InformerMetrics {
 public:
  InformerMetrics(metrics::Registry& registry, absl::string_view resource);

  prometheus::Gauge& objects;
  prometheus::Counter& lists;
  prometheus::Counter& watches;
  prometheus::Counter& list_errors;
  prometheus::Counter& watch_errors;
};

// Lists (in pages), then watches from there; watches on where a watch ended or broke; lists anew
// when the server refuses the version (see MayResumeWatch) and tells the difference. Backs off with
// jitter while the server is away. A thread of its own; the handlers run on it, one at a time,
// after the cache has changed, and may block (that slows the watch down, nothing else). Any thread
// may read the cache. `client` and `metrics` outlive it.
class Informer {
 public:
  struct Options {
    Resource resource;
    std::string object_namespace;  // Empty: all.
    std::string label_selector;
    std::string field_selector;
    int64_t page_size = 500;
    absl::Duration backoff_min = absl::Milliseconds(200);
    absl::Duration backoff_max = absl::Seconds(30);
    absl::Duration watch_timeout = absl::Minutes(5);  // Up to twice as much, by chance.
  };
  // An object that was replaced by another of its name is deleted first, then upserted.
  struct Handlers {
    std::function<void(const KubeObject& now)> on_upsert;
    std::function<void(const KubeObject& last)> on_delete;
    std::function<void()> on_synced;  // Once, after the first whole list went through on_upsert.
  };

  Informer(Client& client, Options options, Handlers handlers, InformerMetrics& metrics,
           log::Logger log);
  ~Informer();  // Stop().
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  void Start();
  void Stop();  // Not from a handler. Idempotent.

  // The cache has held one whole state of the collection.
  bool synced() const;
  bool WaitForSync(absl::Time deadline) const;
  std::optional<KubeObject> Get(absl::string_view key) const;  // "namespace/name" or "name".
  std::vector<KubeObject> List() const;
  size_t size() const;

 private:
  enum class Next { kWatch, kList };

  void Loop();
  absl::Status ListAll();
  absl::StatusOr<ObjectList> FetchAll();
  absl::Status WatchOnce();
  // The server is there.
  void Heard();
  void OnEvent(WatchEvent event);
  void Store(KubeObject object);
  void Remove(const std::string& key);
  // False when stopping.
  bool Sleep(absl::Duration delay);
  absl::Duration Jittered(absl::Duration base);

  Client& client_;
  const Options options_;
  const Handlers handlers_;
  InformerMetrics& metrics_;
  log::Logger log_;

  std::stop_source stop_;
  std::thread thread_;
  std::string version_;   // Of its own thread: where the next watch starts.
  bool failing_ = false;  // Of its own thread: the outage was logged.
  bool heard_ = false;    // Of its own thread: the running watch has brought something.
  mutable absl::Mutex mutex_;
  std::unordered_map<std::string, KubeObject> cache_ ABSL_GUARDED_BY(mutex_);
  bool synced_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_INFORMER_H_
