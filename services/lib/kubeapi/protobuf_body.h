// Request bodies in Kubernetes' protobuf form, which kubectl uses for the kinds that it builds
// itself (create configmap, create secret, auth can-i). Answers are always JSON; those clients
// accept both.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_PROTOBUF_BODY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_PROTOBUF_BODY_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/schema.h"

namespace skerry::kubeapi {

inline constexpr char kProtobufType[] = "application/vnd.kubernetes.protobuf";

// The object of a body ("k8s\0" and a runtime.Unknown that holds `schema`'s message), with
// apiVersion and kind. INVALID_ARGUMENT on what is malformed. UNIMPLEMENTED where the schema has no
// field numbers, or the body has a field that the schema does not number: rather refused than half
// read.
absl::StatusOr<Json> DecodeProtobufBody(const Schema& schema, absl::string_view body);

// True if all of `schema` can be read that way.
bool HasProtobufForm(const Schema& schema);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_PROTOBUF_BODY_H_
