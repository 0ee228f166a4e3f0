// The part of kubectl's JSONPath that printer columns use.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_JSON_PATH_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_JSON_PATH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// ".spec.a", ".a['b.c']", ".a\.b", ".list[0]", ".list[*].x",
// ".conditions[?(@.type=="Ready")].status". A value.
class ColumnPath {
 public:
  static absl::StatusOr<ColumnPath> Parse(absl::string_view text);
  // All values found, in order.
  std::vector<const Json*> Find(const Json& object) const;

 private:
  struct Step {
    enum class Kind { kMember, kIndex, kAll, kFilter } kind;
    std::string name;                 // kMember.
    int64_t index = 0;                // kIndex; negative from the end.
    std::vector<std::string> filter;  // kFilter: path of the member …
    std::string value;                // … that must equal this.
  };
  std::vector<Step> steps_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_JSON_PATH_H_
