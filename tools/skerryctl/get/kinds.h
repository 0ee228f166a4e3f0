// Which objects `skerryctl get` is asked for.
#ifndef SKERRY_TOOLS_SKERRYCTL_GET_KINDS_H_
#define SKERRY_TOOLS_SKERRYCTL_GET_KINDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::skerryctl {

// "devices.devices.kubeedge.io" for "device", "devices" and the like: the type of `types` that
// `word` names in full, in its plural, singular or short form as with kubectl. A StepError names
// what there is.
absl::StatusOr<std::string> TypeOf(absl::string_view word, const std::vector<std::string>& types);

// What boxes keep unless they are told otherwise, and "twins".
std::vector<std::string> UsualTypes();
// Of the cloud: "sessions", "devices", "twins".
std::vector<std::string> CloudTypes();

// "pods" of "pods", "devices" of "devices.devices.kubeedge.io".
std::string PluralOf(absl::string_view type);
// "Pod", "Device", "ConfigMap": of the types above; else the plural.
std::string KindOf(absl::string_view type);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_GET_KINDS_H_
