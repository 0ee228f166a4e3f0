#include "services/edged-svc/docker/pulled_image_file.h"

#include <utility>

#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"

namespace skerry::edged {
namespace {

absl::StatusOr<PulledImages> ReadPulledImages(const std::string& path) {
  const absl::StatusOr<std::string> text = security::ReadSmallFile(path);
  if (absl::IsNotFound(text.status())) return PulledImages();
  SKERRY_RETURN_IF_ERROR(text.status());
  return PulledImages::Parse(*text);
}

}  // namespace

PulledImageFile::PulledImageFile(std::string path, log::Logger log)
    : path_(std::move(path)), log_(std::move(log)) {
  if (path_.empty()) return;
  absl::StatusOr<PulledImages> images = ReadPulledImages(path_);
  if (!images.ok()) {
    log_.Error("which images were pulled is not known any more: those that are there stay",
               images.status(), {{"path", path_}});
    return;
  }
  images_ = *std::move(images);
}

void PulledImageFile::Add(const std::string& id, const std::string& name,
                          const std::set<std::string>& before) {
  absl::MutexLock write_lock(&write_mutex_);
  absl::StatusOr<bool> added;
  {
    absl::MutexLock lock(&mutex_);
    added = images_.Add(id, name, before);
  }
  if (!added.ok())
    return log_.Warning("pulled image not remembered", added.status(), {{"image", name}});
  if (*added) Write();
}

uint64_t PulledImageFile::generation() const {
  absl::MutexLock lock(&mutex_);
  return images_.generation();
}

void PulledImageFile::Retain(const std::set<std::string>& ids, uint64_t generation) {
  absl::MutexLock write_lock(&write_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    if (!images_.Retain(ids, generation)) return;
  }
  Write();
}

bool PulledImageFile::Owns(const std::string& id, const std::set<std::string>& names) const {
  absl::MutexLock lock(&mutex_);
  return images_.Owns(id, names);
}

void PulledImageFile::Write() {
  if (path_.empty()) return;
  std::string text;
  {
    absl::MutexLock lock(&mutex_);
    text = images_.Format();
  }
  const absl::Status written = security::WriteFileAtomically(path_, text, 0600);
  if (!written.ok())
    log_.Warning("which images were pulled can't be remembered", written, {{"path", path_}});
}

}  // namespace skerry::edged
