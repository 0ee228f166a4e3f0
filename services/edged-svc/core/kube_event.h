// What edged tells people about a pod or about the node: Kubernetes Events, in the kubelet's words.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_KUBE_EVENT_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_KUBE_EVENT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// The object, and the part of it, that an event is about.
struct EventTarget {
  std::string kind, name_space, name, uid;
  std::string field_path;  // Empty: all of it.
};

EventTarget AboutPod(const PodSpec& pod);
// "spec.containers{name}" or "spec.initContainers{name}".
EventTarget AboutContainer(const PodSpec& pod, const std::string& container);
// With its name as the uid: that is what `kubectl describe node` looks for.
EventTarget AboutNode(const std::string& node);

enum class EventType { kNormal, kWarning };

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Any thread; returns at once. Best effort.
  virtual void Record(const EventTarget& about, EventType type, absl::string_view reason,
                      absl::string_view message) = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_KUBE_EVENT_H_
