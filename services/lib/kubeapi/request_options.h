// What requests say in their query and body, as values.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_REQUEST_OPTIONS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_REQUEST_OPTIONS_H_

#include "absl/status/statusor.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/resource.h"
#include "services/lib/kubeapi/resource_registry.h"
#include "services/lib/kubeapi/watch_events.h"

namespace skerry::kubeapi {

// All errors are those of the API (400, 415, 422).
absl::StatusOr<WriteOptions> ReadWriteOptions(const http::Request& request);
absl::StatusOr<ListOptions> ReadListOptions(const http::Request& request, const Resource& resource);
// From the query and a DeleteOptions body.
absl::StatusOr<DeleteOptions> ReadDeleteOptions(const http::Request& request,
                                                const TypeTable& types);
// All but resource, namespace and form.
absl::StatusOr<WatchOptions> ReadWatchOptions(const http::Request& request,
                                              const Resource& resource);
// By Content-Type: JSON, and protobuf where `schema` has that form.
absl::StatusOr<Json> ReadBody(const http::Request& request, const Schema* schema);
// By Content-Type, as far as `resource` allows.
absl::StatusOr<PatchType> ReadPatchType(const http::Request& request, const Resource& resource);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_REQUEST_OPTIONS_H_
