// A walk over JSON text that nobody has checked, in bounded memory and without recursion.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_JSON_VISIT_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_JSON_VISIT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::eventbus {

enum class JsonKind { kNull, kBool, kNumber, kString, kObject, kList };

struct JsonValue {
  JsonKind kind = JsonKind::kNull;
  bool boolean = false;    // Of kBool.
  absl::string_view text;  // Of kString: decoded, UTF-8. Valid during the call.
};

// The member names from the top level to the value; empty for the document itself.
using JsonPath = std::vector<std::string>;
using JsonVisitor = absl::FunctionRef<void(const JsonPath& path, const JsonValue& value)>;

// Shows `visit` each value of the document in the text's order, an object before its members. What
// is inside lists is checked, not shown: no request has any. A repeated member is shown each time.
// What was seen before a fault stays seen. The faults are INVALID_ARGUMENT: JSON_INVALID for what
// is not one JSON value in UTF-8, JSON_TOO_DEEP for nesting beyond `depth_max`.
absl::Status VisitJson(absl::string_view text, size_t depth_max, JsonVisitor visit);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_JSON_VISIT_H_
