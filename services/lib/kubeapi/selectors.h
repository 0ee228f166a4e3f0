// Label and field selectors.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_SELECTORS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_SELECTORS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>3". A value; empty matches everything.
class LabelSelector {
 public:
  static absl::StatusOr<LabelSelector> Parse(absl::string_view text);
  // `labels` is an object of strings (or null).
  bool Matches(const Json& labels) const;
  bool empty() const { return requirements_.empty(); }

 private:
  enum class Op { kIn, kNotIn, kExists, kNotExists, kGreater, kLess };
  struct Requirement {
    std::string key;
    Op op;
    std::vector<std::string> values;
  };
  std::vector<Requirement> requirements_;
};

// "metadata.name=x,status.phase!=Running". A value; empty matches everything.
class FieldSelector {
 public:
  // `selectable`: the fields the resource allows; others are refused as Kubernetes does.
  static absl::StatusOr<FieldSelector> Parse(absl::string_view text,
                                             const std::vector<std::string>& selectable);
  bool Matches(const Json& object) const;
  bool empty() const { return requirements_.empty(); }
  // The value of "metadata.name=…", where that is asked for.
  std::optional<std::string> Exact(absl::string_view field) const;

 private:
  struct Requirement {
    std::string field;
    std::vector<std::string> path;
    bool equal;
    std::string value;
  };
  std::vector<Requirement> requirements_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_SELECTORS_H_
