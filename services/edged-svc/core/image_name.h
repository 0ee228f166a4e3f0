// References to container images.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_IMAGE_NAME_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_IMAGE_NAME_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

// INVALID_ARGUMENT, in the kubelet's words, for what is no [host[:port]/]path[:tag][@digest].
absl::Status CheckImageName(absl::string_view image);

// The registry's host: "docker.io" where the reference names none.
std::string RegistryOf(absl::string_view image);

// As a runtime lists it: with registry, and with tag or digest ("docker.io/library/busybox:latest"
// for "busybox"). A digest makes a tag beside it meaningless.
std::string FullImageName(absl::string_view image);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_IMAGE_NAME_H_
