// What Docker has of our pods, with the details that a list does not tell.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_CONTAINER_TABLE_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_CONTAINER_TABLE_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/docker_views.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/docker/log_copier.h"
#include "services/lib/base/clock.h"

namespace skerry::edged {

// Keeps the details between lists: an unchanged container costs no call of its own. Has the logs of
// what it lists copied. Any thread may call it; `engine`, `logs` and `clock` outlive it.
class ContainerTable {
 public:
  ContainerTable(DockerEngine& engine, LogCopier& logs, Clock& clock, std::string owner,
                 absl::Duration log_wait)
      : engine_(engine),
        logs_(logs),
        clock_(clock),
        owner_(std::move(owner)),
        log_wait_(log_wait) {}

  // With `sandbox_id`: that sandbox's containers only, and not the sandbox.
  absl::StatusOr<std::vector<DockerListed>> List(absl::string_view sandbox_id = "");
  absl::StatusOr<std::vector<PodView>> Pods();

 private:
  absl::StatusOr<ContainerView> Details(const DockerListed& listed);
  std::optional<DockerContainer> Known(const DockerListed& listed);
  // Of a container that has ended: there is still time for the rest of its log.
  bool LogMayCome(const std::string& id);
  // The digest by which its image can be pulled again; its id where it has none.
  std::string ImageRef(const std::string& image_id, const std::string& image);

  DockerEngine& engine_;
  LogCopier& logs_;
  Clock& clock_;
  const std::string owner_;
  const absl::Duration log_wait_;
  // Lists are made one at a time: a copy that an older list does not know must not be forgotten by
  // it. Before mutex_.
  absl::Mutex list_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::Mutex mutex_;
  std::map<std::string, DockerContainer> details_ ABSL_GUARDED_BY(mutex_);  // By id.
  std::map<std::string, absl::Duration> ended_ ABSL_GUARDED_BY(mutex_);     // When it was seen.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_CONTAINER_TABLE_H_
