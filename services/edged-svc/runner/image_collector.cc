#include "services/edged-svc/runner/image_collector.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {

std::string ImageCollector::folder() const {
  absl::MutexLock lock(&mutex_);
  return folder_;
}

void ImageCollector::Run() {
  const absl::Status status = Look();
  if (status.ok()) return;
  log_.Warning("image garbage collection failed", status);
  events_.Record(about_, EventType::kWarning, "ImageGCFailed", status.message());
}

absl::Status ImageCollector::Look() {
  SKERRY_ASSIGN_OR_RETURN(const std::string folder, runtime_.ImageFolder());
  {
    absl::MutexLock lock(&mutex_);
    folder_ = folder;
  }
  // What pods name, before what there is: a pod that comes meanwhile has no image here yet, or one
  // that was here too short a time.
  const std::optional<std::set<std::string>> wanted = sources_.wanted();
  SKERRY_ASSIGN_OR_RETURN(const std::vector<StoredImage> images, runtime_.ListImages());
  records_.Observe(images, wanted.value_or(std::set<std::string>()), clock_.Monotonic());
  SKERRY_ASSIGN_OR_RETURN(const DiskUsage disk, sources_.disk(folder));
  metrics_.SetImageDisk(disk.capacity_bytes, disk.available_bytes);
  const int64_t bytes = BytesToFree(disk, policy_);
  if (bytes == 0 || !wanted.has_value()) return absl::OkStatus();
  if (std::none_of(images.begin(), images.end(),
                   [](const StoredImage& image) { return image.pinned; })) {
    return Error(
               absl::StatusCode::kFailedPrecondition,
               "the disk of the images is full beyond image_gc.high_threshold_percent, but the "
               "runtime does not say which image its sandboxes are made of, and a box that is cut "
               "off could not pull that again: set runtime.sandbox_image")
        .Reason("SANDBOX_IMAGE_UNKNOWN");
  }
  return Free(bytes);
}

absl::Status ImageCollector::Free(int64_t bytes) {
  int64_t freed = 0;
  for (const StoredImage& image : records_.Removable(policy_.age_min)) {
    if (freed >= bytes) break;
    const absl::Status status = runtime_.RemoveImage(image.id);
    metrics_.ImageRemoved(status.ok(), image.size_bytes);
    const std::string& name = image.names.empty() ? image.id : image.names.front();
    if (status.ok()) {
      freed += image.size_bytes;
      log_.Info("unused image removed", {{"image", name}, {"bytes", image.size_bytes}});
    } else {
      log_.Warning("unused image not removed", status, {{"image", name}});
    }
  }
  if (freed >= bytes) return absl::OkStatus();
  const bool foreign = records_.AnyForeign();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("wanted to free ", bytes, " bytes, but images without use had only ",
                            freed,
                            foreign ? "; those that edged-svc has not pulled itself stay" : ""))
      .Reason("IMAGES_ARE_IN_USE");
}

}  // namespace skerry::edged
