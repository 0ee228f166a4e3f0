// What marks edged's pods in a container runtime.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_RUNTIME_LABELS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_RUNTIME_LABELS_H_

namespace skerry::edged {

// Labels and annotations as the kubelet's, so that tools which read them (crictl, log shippers)
// know our pods.
inline constexpr char kLabelPodName[] = "io.kubernetes.pod.name";
inline constexpr char kLabelPodNamespace[] = "io.kubernetes.pod.namespace";
inline constexpr char kLabelPodUid[] = "io.kubernetes.pod.uid";
inline constexpr char kLabelContainer[] = "io.kubernetes.container.name";
inline constexpr char kLabelOwner[] = "io.skerry.owner";
inline constexpr char kAnnotationHash[] = "io.kubernetes.container.hash";
inline constexpr char kAnnotationRestarts[] = "io.kubernetes.container.restartCount";

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_RUNTIME_LABELS_H_
