#include "services/eventbus-svc/core/twin_changes.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "services/eventbus-svc/core/reasons.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

constexpr char kString[] = "string";

absl::Status WrongType(absl::string_view reason) {
  return Error(absl::StatusCode::kInvalidArgument, reason).Reason("VALUE_TYPE");
}

// Decimal, a sign, no spaces, as Go's ParseInt takes it.
bool IsInteger(absl::string_view text) {
  int64_t number = 0;
  return !text.empty() && !absl::ascii_isspace(text.front()) && !absl::ascii_isspace(text.back()) &&
         absl::SimpleAtoi(text, &number);
}

// An infinity and no number at all are floats to Go, too.
bool IsFloat(absl::string_view text) {
  double number = 0;
  return !text.empty() && !absl::ascii_isspace(text.front()) && !absl::ascii_isspace(text.back()) &&
         absl::SimpleAtod(text, &number);
}

}  // namespace

absl::Status CheckValueType(absl::string_view type, absl::string_view value) {
  if (type.empty() || type == kString) return absl::OkStatus();
  if (type == "int" || type == "integer") {
    return IsInteger(value) ? absl::OkStatus() : WrongType(kReasonNotInteger);
  }
  if (type == "float") return IsFloat(value) ? absl::OkStatus() : WrongType(kReasonNotFloat);
  if (type == "boolean") {
    return value == "true" || value == "false" ? absl::OkStatus() : WrongType(kReasonNotBoolean);
  }
  return WrongType(kReasonTypeNotAllowed);
}

absl::StatusOr<TwinWrite> PlanWrite(const TwinUpdateRequest& request, const TwinProperties& known) {
  TwinWrite write;
  for (const auto& [name, update] : request.properties) {
    if (!update.has_value()) {
      write.removed.insert(name);
      continue;
    }
    const auto it = known.find(name);
    // What has no type of its own is a string to KubeEdge; a model may know better, and checks.
    const bool has_type = it != known.end() && it->second.type != kString;
    const std::string& type = has_type ? it->second.type : update->type;
    for (const auto& [value, side] : {std::pair(&update->expected, &write.expected),
                                      std::pair(&update->actual, &write.actual)}) {
      if (!value->has_value()) continue;
      SKERRY_RETURN_IF_ERROR(CheckValueType(type, **value));
      (*side)[name] = {**value, type};
    }
  }
  return write;
}

TwinChanges ChangesOf(const TwinWrite& write, const TwinProperties& after) {
  TwinChanges changes;
  const auto change = [&](const std::string& name) -> TwinProperty* {
    const auto it = after.find(name);
    if (it == after.end()) return nullptr;
    const auto [made, inserted] = changes.try_emplace(name, it->second);
    if (inserted) made->second->expected = made->second->actual = {};
    return &*made->second;
  };
  for (const auto& [name, value] : write.expected) {
    if (TwinProperty* const property = change(name)) property->expected = after.at(name).expected;
  }
  for (const auto& [name, value] : write.actual) {
    if (TwinProperty* const property = change(name)) property->actual = after.at(name).actual;
  }
  for (const std::string& name : write.removed) changes[name] = std::nullopt;
  return changes;
}

std::map<std::string, PropertyTransition> TransitionsBetween(const TwinProperties& last,
                                                             const TwinProperties& current) {
  std::map<std::string, PropertyTransition> transitions;
  for (const auto& [name, property] : last) {
    const auto it = current.find(name);
    if (it == current.end()) {
      transitions[name] = {property, std::nullopt};
    } else if (it->second != property) {
      transitions[name] = {property, it->second};
    }
  }
  for (const auto& [name, property] : current) {
    if (last.count(name) == 0) transitions[name] = {std::nullopt, property};
  }
  return transitions;
}

}  // namespace skerry::eventbus
