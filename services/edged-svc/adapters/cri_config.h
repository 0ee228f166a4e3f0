// From edged's words to CRI's messages.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_CONFIG_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_CONFIG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "api/runtime/v1/runtime.pb.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/core/runtime_labels.h"

namespace skerry::edged {

// The image of sandboxes by containerd's own configuration, which it shows in its verbose status;
// empty: it does not say.
std::string SandboxImage(const runtime::v1::StatusResponse& verbose);

runtime::v1::PodSandboxConfig ToCri(const SandboxConfig& config, absl::string_view owner);
runtime::v1::ContainerConfig ToCri(const SandboxConfig& sandbox, const ContainerConfig& config,
                                   absl::string_view owner);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_CONFIG_H_
