// PulledImages, over restarts.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_PULLED_IMAGE_FILE_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_PULLED_IMAGE_FILE_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/pulled_images.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {

// What is lost with the file is the knowledge that images may be removed, not images: so a file
// that can't be read or written is a line of the log, and no error. Any thread may call it; those
// that change something write to the disk.
class PulledImageFile {
 public:
  // path: empty where nothing is to be kept.
  PulledImageFile(std::string path, log::Logger log);

  // As PulledImages'.
  void Add(const std::string& id, const std::string& name, const std::set<std::string>& before);
  uint64_t generation() const;
  void Retain(const std::set<std::string>& ids, uint64_t generation);
  bool Owns(const std::string& id, const std::set<std::string>& names) const;

 private:
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);

  const std::string path_;
  const log::Logger log_;
  absl::Mutex write_mutex_;  // Held while the disk is written to; the other one never is.
  mutable absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(write_mutex_);
  PulledImages images_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_PULLED_IMAGE_FILE_H_
