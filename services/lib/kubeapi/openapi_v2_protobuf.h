// OpenAPI v2 as a protobuf message (gnostic's openapi.v2.Document), the only form in which kubectl
// asks for it: it needs it to validate lists (`kubectl apply` of kind List, which is what `kubectl
// get -o yaml` writes).
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_OPENAPI_V2_PROTOBUF_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_OPENAPI_V2_PROTOBUF_H_

#include <string>

#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// As answered: kubectl asks for "v2@v1.0", but '@' is not legal in a media type, and kubectl parses
// the answer's.
inline constexpr char kOpenApiV2ProtobufType[] =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

// The definitions of a v2 document, serialized. Paths are left out: clients of this form read
// definitions.
std::string OpenApiV2Protobuf(const Json& document);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_OPENAPI_V2_PROTOBUF_H_
