#include "services/device-controller-svc/service/core/desired_update.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

using Values = std::map<std::string, std::optional<std::string>>;

std::optional<std::string> Given(const DesiredUpdate& update, const std::string& property) {
  const auto it = update.given.find(property);
  if (it == update.given.end() || !it->second.value.has_value() || it->second.value->empty()) {
    return std::nullopt;
  }
  return it->second.value;
}

Values ToWrite(const DesiredUpdate& update, const std::map<std::string, DesiredEntry>& present) {
  Values values;
  if (update.mask == DesiredUpdate::Mask::kListed) {
    for (const std::string& property : update.listed) values[property] = Given(update, property);
    return values;
  }
  for (const auto& [property, given] : update.given) {
    // Without a mask an absent value says nothing, an empty one that nothing is desired.
    if (given.value.has_value()) values[property] = Given(update, property);
  }
  if (update.mask == DesiredUpdate::Mask::kAll) {
    for (const auto& [property, desired] : present) {
      if (desired.value.has_value()) values.try_emplace(property, std::nullopt);
    }
  }
  return values;
}

// `present`: null where the property has none.
absl::Status Changed(const std::string& property, const DesiredEntry* present,
                     const Values& values) {
  const std::string version = absl::StrCat(present == nullptr ? 0 : present->generation, ".0");
  Error error(absl::StatusCode::kAborted,
              absl::StrCat("the desired value of ", property,
                           " has changed: read the twin again; it is of version ", version));
  error.Reason("DESIRED_CHANGED").Meta("property", property).Meta("version", version);
  if (present != nullptr) {
    error.Meta("writer", present->writer);
    if (present->value.has_value()) error.Meta("value", *present->value);
  }
  const auto refused = values.find(property);
  if (refused != values.end() && refused->second.has_value()) {
    error.Meta("refused_value", *refused->second);
  }
  return error;
}

}  // namespace

std::string ToText(const DesiredEtag& etag) {
  return absl::StrCat(etag.incarnation, ".", etag.generation);
}

absl::StatusOr<DesiredEtag> ParseEtag(absl::string_view field, absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  DesiredEtag etag;
  if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &etag.incarnation) &&
      absl::SimpleAtoi(parts[1], &etag.generation)) {
    return etag;
  }
  return InvalidField(field, text.substr(0, 64), "give that of a twin that was read, or nothing")
      .Reason("ETAG_INVALID");
}

absl::StatusOr<DesiredPlan> PlanUpdate(const DesiredUpdate& update,
                                       const std::map<std::string, DesiredEntry>& present,
                                       int64_t incarnation) {
  DesiredPlan plan{.values = ToWrite(update, present)};
  if (plan.values.empty() && update.mask != DesiredUpdate::Mask::kAll) {
    return InvalidField("twin.properties", "no desired value",
                        "give one, or name in update_mask what is desired no more");
  }
  if (update.etag.has_value()) {
    if (update.etag->incarnation != incarnation) {
      return Error(absl::StatusCode::kAborted,
                   "the device was deleted and made anew since: read its twin again")
          .Reason("ETAG_MISMATCH");
    }
    const std::string* changed = nullptr;
    for (const auto& [property, desired] : present) {
      plan.expected[property] = desired.value;
      if (desired.generation <= update.etag->generation) continue;
      // Of those that are to be written rather than another one.
      if (changed == nullptr ||
          (plan.values.count(*changed) == 0 && plan.values.count(property) > 0))
        changed = &property;
    }
    if (changed != nullptr) return Changed(*changed, &present.at(*changed), plan.values);
    for (const auto& [property, value] : plan.values)
      plan.expected.try_emplace(property, std::nullopt);
  }
  for (const auto& [property, given] : update.given) {
    if (!given.generation.has_value() || plan.values.count(property) == 0) continue;
    const auto it = present.find(property);
    if (it == present.end()) {
      if (*given.generation > 0) return Changed(property, nullptr, plan.values);
    } else if (it->second.generation > *given.generation) {
      return Changed(property, &it->second, plan.values);
    }
    plan.expected[property] = it == present.end() ? std::nullopt : it->second.value;
  }
  return plan;
}

}  // namespace skerry::devicecontroller
