// Writes what containers say to their pods' log files, as a CRI runtime does by itself.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_LOG_COPIER_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_LOG_COPIER_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/docker/engine.h"

namespace skerry::edged {

// Docker keeps the log (bounded by its log options); this copies it, each entry once, in Docker's
// order, from where the file ends: after a restart of this service, of Docker, or of the box. What
// Docker has rotated away by then is lost, and so is what it has stamped more than ten seconds
// before the file's last line, where the box's clock was set back before a copy was resumed. Calls
// come from any thread; files are written on the engine's. `engine` outlives it.
class LogCopier {
 public:
  struct Log {
    std::string id;    // The container.
    std::string path;  // Absolute.
    bool tty = false;
  };
  // `failed` tells why a log is not copied, on any thread, once for each reason in a row; it is
  // tried again with the next Follow.
  using Failed = std::function<void(const Log&, const absl::Status&)>;

  LogCopier(DockerEngine& engine, Failed failed) : engine_(engine), failed_(std::move(failed)) {}

  // Of a container that runs; nothing where it is under way.
  void Follow(const Log& log);
  // Of one that has ended: true once everything is in the file.
  bool Finish(const Log& log);
  // The file was renamed: goes on in a new one. FAILED_PRECONDITION where nothing is being copied.
  absl::Status Reopen(absl::string_view id);
  // Forgets the others.
  void Retain(const std::set<std::string>& ids);

 private:
  struct Copy;
  std::shared_ptr<Copy> Find(const Log& log);
  // runs: the container does.
  void Begin(const std::shared_ptr<Copy>& copy, bool runs);

  DockerEngine& engine_;
  const Failed failed_;
  absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Copy>, std::less<>> copies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_LOG_COPIER_H_
