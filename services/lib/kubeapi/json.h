// JSON values of Kubernetes objects: bounded parsing and safe access to nested members.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_JSON_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_JSON_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::kubeapi {

using Json = nlohmann::json;

// Nesting beyond this is refused: everything that walks a value may recurse.
inline constexpr size_t kJsonDepthMax = 200;

// INVALID_ARGUMENT on text that is not one JSON value (valid UTF-8, at most kJsonDepthMax deep).
absl::StatusOr<Json> ParseJson(absl::string_view text);

// Never throws: what is not UTF-8 is replaced.
std::string DumpJson(const Json& value);

using JsonPath = std::initializer_list<absl::string_view>;

// The member at `path`, or null where any step is absent or not an object.
const Json* FindPath(const Json& value, JsonPath path);
// Empty where absent or not a string.
std::string StringAt(const Json& value, JsonPath path);
// `fallback` where absent or not an integer.
int64_t IntAt(const Json& value, JsonPath path, int64_t fallback = 0);
bool BoolAt(const Json& value, JsonPath path, bool fallback = false);
// The array at `path`; an empty one where absent or not an array.
const Json& ArrayAt(const Json& value, JsonPath path);
// The object at `path`; an empty one where absent or not an object.
const Json& ObjectAt(const Json& value, JsonPath path);

// Sets the member at `path`, making objects on the way (and replacing what is not one).
void SetPath(Json& value, JsonPath path, Json member);
// Removes the member at `path`, if it is there.
void ErasePath(Json& value, JsonPath path);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_JSON_H_
