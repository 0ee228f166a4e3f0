// Whether an object that the cloud sent may enter the box's store.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_OBJECT_CHECK_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_OBJECT_CHECK_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::edgemeta {

// INVALID_ARGUMENT / OBJECT_MALFORMED: not a JSON object, or its kind, name or namespace is not
// that of `type` and `key`. RESOURCE_EXHAUSTED / OBJECT_TOO_BIG.
absl::Status CheckObject(absl::string_view type, absl::string_view key, absl::string_view object,
                         size_t bytes_max);

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_OBJECT_CHECK_H_
