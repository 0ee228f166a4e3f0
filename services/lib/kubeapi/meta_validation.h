// Rules for names, labels and annotations that hold for every kind.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_META_VALIDATION_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_META_VALIDATION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

bool IsDnsLabel(absl::string_view text);
bool IsDnsSubdomain(absl::string_view text);
// Of ConfigMap and Secret keys.
bool IsConfigKey(absl::string_view text);
// A label key or a taint key ("example.com/name").
bool IsQualifiedName(absl::string_view text);
// Of environment variables; anything printable but '='.
bool IsEnvName(absl::string_view text);

// What Kubernetes says about names that are none.
extern const char kDnsLabelText[];
extern const char kDnsSubdomainText[];

void ValidateMeta(const Resource& resource, const Json& object, std::vector<FieldError>& errors);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_META_VALIDATION_H_
