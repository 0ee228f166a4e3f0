// Content negotiation of the Kubernetes API.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_MEDIA_TYPE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_MEDIA_TYPE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::kubeapi {

struct MediaType {
  std::string type;  // "application/json", in lower case.
  std::map<std::string, std::string> parameters;
};

// Of an Accept or Content-Type header, by descending q, then in order. Empty for an empty header.
std::vector<MediaType> ParseMediaTypes(absl::string_view header);

// The form of an answer.
enum class ObjectForm { kObject, kTable, kPartialMetadata };

// What of `accept` is served here: JSON, as itself, as Table or as PartialObjectMetadata (of
// meta.k8s.io/v1). nullopt: nothing of it.
std::optional<ObjectForm> NegotiateForm(absl::string_view accept);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_MEDIA_TYPE_H_
