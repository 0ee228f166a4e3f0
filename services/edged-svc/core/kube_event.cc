#include "services/edged-svc/core/kube_event.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace skerry::edged {

EventTarget AboutPod(const PodSpec& pod) { return {"Pod", pod.name_space, pod.name, pod.uid, ""}; }

EventTarget AboutContainer(const PodSpec& pod, const std::string& container) {
  const bool init = std::any_of(pod.init_containers.begin(), pod.init_containers.end(),
                                [&](const ContainerSpec& spec) { return spec.name == container; });
  EventTarget target = AboutPod(pod);
  target.field_path =
      absl::StrCat(init ? "spec.initContainers{" : "spec.containers{", container, "}");
  return target;
}

EventTarget AboutNode(const std::string& node) { return {"Node", "", node, node, ""}; }

}  // namespace skerry::edged
