// From edged's words to CRI's messages.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_CONFIG_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_CONFIG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "api/runtime/v1/runtime.pb.h"
#include "services/edged-svc/core/runtime.h"

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

// The image of sandboxes by containerd's own configuration, which it shows in its verbose status;
// empty: it does not say.
std::string SandboxImage(const runtime::v1::StatusResponse& verbose);

runtime::v1::PodSandboxConfig ToCri(const SandboxConfig& config, absl::string_view owner);
runtime::v1::ContainerConfig ToCri(const SandboxConfig& sandbox, const ContainerConfig& config,
                                   absl::string_view owner);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_CONFIG_H_
