#include "services/edged-svc/runner/log_rotator.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/adapters/log_files.h"
#include "services/edged-svc/core/log_rotation.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void LogRotator::Run() {
  const absl::StatusOr<std::vector<PodView>> pods = runtime_.ListPods();
  if (!pods.ok()) return;  // The relister says so already.
  for (const PodView& pod : *pods) {
    for (const ContainerView& container : pod.containers) {
      if (!container.log_path.empty()) Look(container);
    }
  }
}

void LogRotator::Look(const ContainerView& container) {
  const bool runs = container.state == ContainerView::State::kRunning;
  const absl::StatusOr<std::optional<int64_t>> size = LogSize(container.log_path);
  absl::Status status = size.status();
  if (size.ok() && !size->has_value()) {
    // Cut off between the renaming and the reopening: it has been writing to the renamed file.
    if (runs) {
      status = runtime_.ReopenLog(container.id);
    } else if (const std::string last = Newest(RotatedLogs(container.log_path)); !last.empty()) {
      status = RenameLog(FolderOf(container.log_path) + last, container.log_path);
    }
  } else if (size.ok() && runs && **size >= options_.bytes_max) {
    status = Rotate(container);
    metrics_.LogRotated(status.ok());
  }
  if (!status.ok()) {
    log_.Warning("container log not rotated", status,
                 {{"container", container.name}, {"path", container.log_path}});
  }
}

absl::Status LogRotator::Rotate(const ContainerView& container) {
  const std::string& log = container.log_path;
  std::vector<std::string> rotated = RotatedLogs(log);
  const RotationPlan plan = PlanRotation(rotated, options_.files_max);
  for (const std::string& name : plan.remove)
    SKERRY_RETURN_IF_ERROR(RemoveLogFile(FolderOf(log) + name));
  for (const std::string& name : plan.compress) {
    // A full disk has no place for the compressed one: rotation goes on, or it would stay full.
    const absl::Status status = CompressLog(FolderOf(log) + name);
    metrics_.LogCompressed(status.ok());
    if (!status.ok()) log_.Warning("rotated log not compressed", status, {{"path", log}});
  }
  const std::string last =
      FolderOf(log) + RotatedName(NameOf(log), rotated, clock_.Now(), absl::LocalTimeZone());
  SKERRY_RETURN_IF_ERROR(RenameLog(log, last));
  absl::Status status = runtime_.ReopenLog(container.id);
  // Back, so that the next time finds the log where it is expected: unless it was reopened all the
  // same, and only the answer got lost.
  if (!status.ok() && absl::IsAlreadyExists(RenameLog(last, log))) return absl::OkStatus();
  return status;
}

}  // namespace skerry::edged
