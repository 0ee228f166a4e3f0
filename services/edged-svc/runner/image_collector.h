// Removes images that nobody uses when the disk fills up, as the kubelet does.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_IMAGE_COLLECTOR_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_IMAGE_COLLECTOR_H_

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/image_gc.h"
#include "services/edged-svc/core/kube_event.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/metrics.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {

// Run is called by one thread, folder by any. What it is given outlives it.
class ImageCollector {
 public:
  struct Sources {
    std::function<absl::StatusOr<DiskUsage>(const std::string& folder)> disk;
    // Full names of images that pods name. nullopt: not all pods are known yet, so that any image
    // may be one of theirs.
    std::function<std::optional<std::set<std::string>>()> wanted;
  };

  // Failures are told as events about `node`.
  ImageCollector(Runtime& runtime, Clock& clock, ImageGcPolicy policy, Sources sources,
                 const std::string& node, EventSink& events, EdgedMetrics& metrics, log::Logger log)
      : runtime_(runtime),
        clock_(clock),
        policy_(policy),
        sources_(std::move(sources)),
        about_(AboutNode(node)),
        events_(events),
        metrics_(metrics),
        log_(log) {}

  // Looks at images and disk once, and removes what has to go.
  void Run();
  // On the file system of the images; empty: not known yet.
  std::string folder() const;

 private:
  absl::Status Look();
  absl::Status Free(int64_t bytes);

  Runtime& runtime_;
  Clock& clock_;
  const ImageGcPolicy policy_;
  const Sources sources_;
  const EventTarget about_;
  EventSink& events_;
  EdgedMetrics& metrics_;
  const log::Logger log_;
  ImageRecords records_;
  mutable absl::Mutex mutex_;
  std::string folder_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_IMAGE_COLLECTOR_H_
