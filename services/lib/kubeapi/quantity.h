// Resource quantities ("500m", "1Gi") in the canonical form of Kubernetes.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_QUANTITY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_QUANTITY_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace skerry::kubeapi {

// "0.5" → "500m", "1024Mi" → "1Gi", "1e3" → "1e3". nullopt: no quantity. What is too large or too
// fine to be put into canonical form exactly stays as it is written.
std::optional<std::string> CanonicalQuantity(absl::string_view text);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_QUANTITY_H_
