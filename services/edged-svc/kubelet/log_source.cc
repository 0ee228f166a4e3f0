#include "services/edged-svc/kubelet/log_source.h"

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

bool IsWaiting(const ContainerStatus* status) {
  return status != nullptr && status->state.kind == ContainerState::Kind::kWaiting;
}

std::string WhyWaiting(const ContainerStatus* status) {
  const std::string reason = IsWaiting(status) ? status->state.reason : "";
  if (reason == "ErrImagePull") return "image can't be pulled";
  if (reason == "ImagePullBackOff") return "trying and failing to pull image";
  return reason.empty() ? "ContainerCreating" : reason;
}

}  // namespace

absl::StatusOr<LogSource> FindLog(const PodManager::PodState& pod, const std::string& container,
                                  bool previous) {
  if (pod.pod->Find(container) == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("container \"", container, "\" not found in pod \"", pod.pod->name, "\"\n"));
  }
  const ContainerStatus* status = pod.status.Find(container);
  const ContainerView* latest = pod.view.Latest(container);
  // One that was made and did not start has written nothing.
  const ContainerView* ended = nullptr;
  for (const ContainerView& view : pod.view.containers) {
    if (view.name != container || &view == latest) continue;
    if (view.state == ContainerView::State::kExited) {
      ended = &view;
      break;
    }
  }
  const bool started = latest != nullptr && latest->state != ContainerView::State::kCreated;
  if (previous) {
    // One that waits to be started again has its last start behind it.
    if (IsWaiting(status) && started && latest->state == ContainerView::State::kExited)
      return LogSource{latest->id, latest->restart_count};
    if (ended != nullptr) return LogSource{ended->id, ended->restart_count};
    return absl::FailedPreconditionError(absl::StrCat("previous terminated container \"", container,
                                                      "\" in pod \"", pod.pod->name,
                                                      "\" not found"));
  }
  if (started) return LogSource{latest->id, latest->restart_count};
  if (ended != nullptr) return LogSource{ended->id, ended->restart_count};
  return absl::FailedPreconditionError(
      absl::StrCat("container \"", container, "\" in pod \"", pod.pod->name,
                   "\" is waiting to start: ", WhyWaiting(status)));
}

bool IsRunning(const PodManager::PodState& pod, absl::string_view container_id) {
  for (const ContainerView& view : pod.view.containers) {
    if (view.id == container_id) return view.state != ContainerView::State::kExited;
  }
  return false;
}

}  // namespace skerry::edged
