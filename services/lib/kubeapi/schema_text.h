// Reads type declarations (types/) and structural OpenAPI schemas (of CustomResourceDefinitions)
// into Schema, and writes Schema as OpenAPI.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_SCHEMA_TEXT_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_SCHEMA_TEXT_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/schema.h"

namespace skerry::kubeapi {

// By definition name ("io.k8s.api.core.v1.Pod").
using TypeTable = std::map<std::string, SchemaPtr>;

// Adds the declarations of `text`, which may refer to earlier ones, to `types`. INVALID_ARGUMENT
// names the line. "kind X" declares a type with apiVersion, kind and metadata beside its own
// fields.
absl::Status ParseTypes(absl::string_view text, TypeTable& types);

// A structural schema as in spec.versions[].schema.openAPIV3Schema. INVALID_ARGUMENT says what is
// wrong and where.
absl::StatusOr<SchemaPtr> ParseStructural(const Json& schema);

// OpenAPI of `schema`: named types as references under `ref_prefix` ("#/definitions/"), their names
// added to `refs`. With `expand`, the outermost type itself is written out.
Json ToOpenApi(const Schema& schema, absl::string_view ref_prefix, bool expand,
               std::set<std::string>& refs);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_SCHEMA_TEXT_H_
