// Images behind Docker Engine's API.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_IMAGES_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_IMAGES_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/docker_views.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/docker/pulled_image_file.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {

// As Runtime's calls for images. Docker is the box's, not edged's alone: images that edged has not
// pulled are foreign, and not removed. Any thread may call it. Both engines outlive it, and
// disk_engine the other; a pull that is under way may end later than this. What is remembered is
// written on disk_engine's thread, and by who calls List.
class DockerImages {
 public:
  struct Options {
    std::string sandbox_image;
    std::string pulled_images_path;
  };

  DockerImages(DockerEngine& engine, DockerEngine& disk_engine, Options options,
               const log::Logger& log)
      : engine_(engine),
        disk_engine_(disk_engine),
        sandbox_image_(std::move(options.sandbox_image)),
        pulled_(std::make_shared<PulledImageFile>(std::move(options.pulled_images_path), log)) {}

  const std::string& sandbox_image() const { return sandbox_image_; }
  // Pulls it where it is not there. Blocks.
  absl::Status EnsureSandboxImage();
  absl::StatusOr<std::optional<ImageView>> Find(absl::string_view image);
  void Pull(absl::string_view image, std::vector<RegistryAuth> auths, Runtime::Done done);
  absl::StatusOr<std::vector<StoredImage>> List();
  absl::Status Remove(absl::string_view id);

 private:
  struct PullWork;
  static void TryPull(const std::shared_ptr<PullWork>& work, size_t next);
  static void Remember(const std::shared_ptr<PullWork>& work);
  // By containers, whoever made them.
  absl::StatusOr<std::set<std::string>> InUse();

  DockerEngine& engine_;
  DockerEngine& disk_engine_;
  const std::string sandbox_image_;
  const std::shared_ptr<PulledImageFile> pulled_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_IMAGES_H_
