// The shape of a kind: built-in ones are declared as text (types/), custom ones as structural
// OpenAPI schemas. From one shape come decoding, defaults, validation, strategic merge and the
// OpenAPI documents.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_SCHEMA_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_SCHEMA_H_

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/json.h"

namespace re2 {
class RE2;
}

namespace skerry::kubeapi {

struct Schema;
using SchemaPtr = std::shared_ptr<const Schema>;

// Immutable once shared; any thread may read it.
struct Schema {
  enum class Type {
    kAny,
    kObject,
    kArray,
    kString,
    kInteger,
    kNumber,
    kBoolean,
    kIntOrString,
    kQuantity
  };

  Type type = Type::kAny;
  std::string name;  // OpenAPI definition, "io.k8s.api.core.v1.Container"; empty: inline.
  std::string description;
  std::string format;                           // "int32", "byte", "date-time", …
  std::map<std::string, SchemaPtr> properties;  // Objects.
  std::map<uint32_t, std::string>
      proto_fields;                // Objects: members by their number on the protobuf wire.
  SchemaPtr additional;            // Objects: the type of other members (a map).
  SchemaPtr items;                 // Arrays.
  bool preserve_unknown = false;   // Objects: other members stay as they are.
  bool embedded_resource = false;  // x-kubernetes-embedded-resource.
  bool nullable = false;
  std::vector<std::string> required;
  std::vector<Json> enum_values;
  std::optional<Json> default_value;

  std::optional<double> minimum, maximum, multiple_of;
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::optional<int64_t> min_length, max_length, min_items, max_items, min_properties,
      max_properties;
  bool unique_items = false;
  std::string pattern_text;
  std::shared_ptr<const re2::RE2> pattern;
  std::vector<SchemaPtr> all_of, any_of, one_of;
  SchemaPtr not_;

  // Strategic merge of arrays: by this member of the items; empty: replaced as a whole.
  std::string merge_key;
  bool merge_set = false;    // Arrays of scalars that merge as sets (finalizers).
  bool retain_keys = false;  // Items honour $retainKeys (a union such as a volume).
};

// Built-in types decode as Go structs do (a null is absent, an empty required string is missing);
// custom resources as JSON schemas.
enum class Dialect { kGo, kStructural };

// Drops what `schema` does not know (naming it in `unknown`: "spec.containers[0].foo") and, where
// it may not be null, nulls. Numbers given for quantities become strings.
void PruneUnknown(const Schema& schema, Dialect dialect, Json& value,
                  std::vector<std::string>& unknown);

// Fills absent members (for kGo also empty strings) that have a default, within objects that are
// there.
void ApplyDefaults(const Schema& schema, Dialect dialect, Json& value);

// First member of a wrong JSON type, in the words of Go's decoder ("json: cannot unmarshal string
// into Go struct field …"). For kGo, before anything else reads the object.
absl::Status CheckTypes(const Schema& schema, const Json& value);

// Complaints about required members, enums, bounds, patterns and (kStructural) types. At most
// kFieldErrorsMax.
void Validate(const Schema& schema, Dialect dialect, const Json& value, absl::string_view path,
              std::vector<FieldError>& errors);
inline constexpr size_t kFieldErrorsMax = 100;

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_SCHEMA_H_
