// Kubernetes manifests from files: YAML or JSON, several documents in one file.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_MANIFESTS_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_MANIFESTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::standaloneapi {

// The documents of one file as JSON; empty ones are left out. YAML 1.2's core rules: unquoted true,
// false, null and numbers are what they look like. INVALID_ARGUMENT names the line.
absl::StatusOr<std::vector<kubeapi::Json>> ParseManifests(absl::string_view text);

// Those of all *.yaml, *.yml and *.json files of `folder`, by file name, CustomResourceDefinitions
// and Namespaces first.
absl::StatusOr<std::vector<kubeapi::Json>> ReadManifests(const std::string& folder);

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_MANIFESTS_H_
