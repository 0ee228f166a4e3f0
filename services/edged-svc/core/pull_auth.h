// Credentials for image registries, from pull secrets.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_PULL_AUTH_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_PULL_AUTH_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/object_source.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// Those of a kubernetes.io/dockerconfigjson or dockercfg secret that are for `image`'s registry,
// most specific first. A secret that can't be read has none.
std::vector<RegistryAuth> PullAuths(const KeyedData& secret, absl::string_view image);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_PULL_AUTH_H_
