#include "services/lib/device/desired_values.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"
#include "services/lib/device/value_rules.h"

namespace skerry::device {
namespace {

constexpr size_t kToldMax = 10;

std::string Problem(const PropertySpec& property, absl::string_view fix) {
  const absl::Status status = InvalidField(property.name, ShownValue(property.desired->value), fix);
  return std::string(status.message());
}

// Empty: none. `model` is null where the device model has no such property.
std::string ProblemOf(const PropertySpec& property, const PropertyModel* model) {
  if (model == nullptr) {
    return Problem(property, "its device model has no such property, add it there or remove it");
  }
  const absl::Status status = CheckDesired(*model, property.desired->value);
  if (status.code() == absl::StatusCode::kFailedPrecondition) {
    return Problem(property,
                   "it is ReadOnly in its device model, remove the desired value or give it "
                   "accessMode ReadWrite there");
  }
  return std::string(status.message());
}

}  // namespace

absl::Status CheckDesiredValues(const DeviceSpec& device, const ModelSpec& model) {
  std::map<absl::string_view, const PropertyModel*> models;
  for (const PropertyModel& property : model.properties) models.emplace(property.name, &property);

  size_t count = 0;
  std::vector<std::string> told;
  std::vector<std::string> names;
  for (const PropertySpec& property : device.properties) {
    if (!property.desired.has_value()) continue;
    const auto it = models.find(property.name);
    std::string problem = ProblemOf(property, it == models.end() ? nullptr : it->second);
    if (problem.empty() || ++count > kToldMax) continue;
    told.push_back(std::move(problem));
    names.push_back(property.name);
  }
  if (count == 0) return absl::OkStatus();
  if (count > kToldMax) told.push_back(absl::StrCat("and ", count - kToldMax, " more"));
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("device ", device.name.value(), " desires what its model ",
                            model.name.value(), " does not allow: ", absl::StrJoin(told, "; ")))
      .Reason("DESIRED_INVALID")
      .Meta("device", device.name.value())
      .Meta("model", model.name.value())
      .Meta("properties", absl::StrJoin(names, " "))
      .Meta("count", absl::StrCat(count));
}

}  // namespace skerry::device
