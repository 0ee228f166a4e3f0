// The part of PodWorker that tells people why a pod does not run: Kubernetes Events, in the
// kubelet's words.
#include "absl/strings/str_cat.h"
#include "services/edged-svc/runner/pod_worker.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kTellAgain = absl::Minutes(5);

}  // namespace

bool PodWorker::IsNews(const std::string& what, absl::string_view text) {
  const absl::Duration now = deps_.clock.Monotonic();
  Told& told = told_[what];
  if (told.text == text && now < told.again) return false;
  told = {std::string(text), now + kTellAgain};
  return true;
}

void PodWorker::TellWaiting(const EventTarget& about, const std::string& image,
                            absl::string_view reason, absl::string_view message) {
  bool image_failed = true;
  if (reason == "ImagePullBackOff") {
    deps_.events.Record(about, EventType::kNormal, "BackOff",
                        absl::StrCat("Back-off pulling image \"", image, "\""));
  } else if (reason == "ErrImageNeverPull") {
    deps_.events.Record(about, EventType::kWarning, reason, message);
  } else if (reason == "InvalidImageName" || reason == "ImageInspectError") {
    deps_.events.Record(about, EventType::kWarning, "InspectFailed", message);
  } else {
    image_failed = reason == "ErrImagePull";
  }
  deps_.events.Record(about, EventType::kWarning, "Failed",
                      absl::StrCat("Error: ", image_failed ? reason : message));
}

void PodWorker::TellCrashBackOff(const PodSpec& pod, const std::string& container,
                                 absl::string_view message) {
  if (!IsNews(container, message)) return;
  deps_.events.Record(
      AboutContainer(pod, container), EventType::kWarning, "BackOff",
      absl::StrCat("Back-off restarting failed container ", container, " in pod ", pod.Display()));
}

void PodWorker::TellPodFailure(const PodSpec& pod, absl::string_view reason,
                               const absl::Status& status) {
  if (!IsNews("", status.message())) return;
  log_.Warning("pod can't be started", status, {{"pod", pod.key()}, {"reason", reason}});
  deps_.events.Record(AboutPod(pod), EventType::kWarning, reason, status.message());
}

}  // namespace skerry::edged
