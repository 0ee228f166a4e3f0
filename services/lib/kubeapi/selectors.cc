#include "services/lib/kubeapi/selectors.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kRequirementsMax = 1000;

absl::Status Malformed(absl::string_view text, absl::string_view why) {
  return BadRequestError(absl::StrCat("unable to parse requirement: ", why, " in \"", text, "\""));
}

// Splits at commas outside parentheses.
std::vector<std::string> SplitRequirements(absl::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth <= 0) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      part.push_back(c);
    }
  }
  parts.push_back(std::move(part));
  return parts;
}

bool IsKey(absl::string_view key) {
  if (key.empty() || key.size() > 317) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
           c == '/';
  });
}

std::string Trim(absl::string_view text) { return std::string(absl::StripAsciiWhitespace(text)); }

absl::StatusOr<std::vector<std::string>> ParseSet(absl::string_view text, absl::string_view set) {
  set = absl::StripAsciiWhitespace(set);
  if (set.size() < 2 || set.front() != '(' || set.back() != ')') {
    return Malformed(text, "expected a set of values in parentheses");
  }
  std::vector<std::string> values;
  for (const absl::string_view value : absl::StrSplit(set.substr(1, set.size() - 2), ',')) {
    values.push_back(Trim(value));
  }
  return values;
}

}  // namespace

absl::StatusOr<LabelSelector> LabelSelector::Parse(absl::string_view text) {
  LabelSelector selector;
  if (absl::StripAsciiWhitespace(text).empty()) return selector;
  const std::vector<std::string> parts = SplitRequirements(text);
  if (parts.size() > kRequirementsMax) return BadRequestError("the label selector is too long");
  for (const std::string& raw : parts) {
    const std::string part = Trim(raw);
    Requirement r;
    const size_t op_at = part.find_first_of("=!<> (");
    if (part.empty()) return Malformed(text, "found an empty requirement");
    if (part[0] == '!') {
      r = {Trim(absl::string_view(part).substr(1)), Op::kNotExists, {}};
    } else if (op_at == std::string::npos) {
      r = {part, Op::kExists, {}};
    } else {
      r.key = part.substr(0, op_at);
      const absl::string_view rest =
          absl::StripAsciiWhitespace(absl::string_view(part).substr(op_at));
      if (rest.substr(0, 2) == "==") {
        r.op = Op::kIn;
        r.values = {Trim(rest.substr(2))};
      } else if (rest.substr(0, 2) == "!=") {
        r.op = Op::kNotIn;
        r.values = {Trim(rest.substr(2))};
      } else if (rest.substr(0, 1) == "=") {
        r.op = Op::kIn;
        r.values = {Trim(rest.substr(1))};
      } else if (rest.substr(0, 1) == ">" || rest.substr(0, 1) == "<") {
        r.op = rest[0] == '>' ? Op::kGreater : Op::kLess;
        r.values = {Trim(rest.substr(1))};
        int64_t number = 0;
        if (!absl::SimpleAtoi(r.values[0], &number)) return Malformed(text, "expected an integer");
      } else if (rest.substr(0, 5) == "notin") {
        r.op = Op::kNotIn;
        SKERRY_ASSIGN_OR_RETURN(r.values, ParseSet(text, rest.substr(5)));
      } else if (rest.substr(0, 2) == "in") {
        r.op = Op::kIn;
        SKERRY_ASSIGN_OR_RETURN(r.values, ParseSet(text, rest.substr(2)));
      } else {
        return Malformed(text, "found an unknown operator");
      }
    }
    if (!IsKey(r.key)) return Malformed(text, absl::StrCat("\"", r.key, "\" is no label key"));
    for (const std::string& value : r.values) {
      if (!value.empty() && !IsKey(value)) {
        return Malformed(text, absl::StrCat("\"", value, "\" is no label value"));
      }
    }
    selector.requirements_.push_back(std::move(r));
  }
  return selector;
}

bool LabelSelector::Matches(const Json& labels) const {
  for (const Requirement& r : requirements_) {
    const Json* value = FindPath(labels, {r.key});
    const bool present = value != nullptr && value->is_string();
    const std::string text = present ? value->get<std::string>() : "";
    const bool listed =
        present && std::find(r.values.begin(), r.values.end(), text) != r.values.end();
    bool ok = false;
    switch (r.op) {
      case Op::kIn:
        ok = listed;
        break;
      case Op::kNotIn:
        ok = !listed;
        break;
      case Op::kExists:
        ok = present;
        break;
      case Op::kNotExists:
        ok = !present;
        break;
      case Op::kGreater:
      case Op::kLess: {
        int64_t have = 0;
        int64_t bound = 0;
        ok = absl::SimpleAtoi(text, &have) && absl::SimpleAtoi(r.values[0], &bound) &&
             (r.op == Op::kGreater ? have > bound : have < bound);
        break;
      }
    }
    if (!ok) return false;
  }
  return true;
}

absl::StatusOr<FieldSelector> FieldSelector::Parse(absl::string_view text,
                                                   const std::vector<std::string>& selectable) {
  FieldSelector selector;
  if (absl::StripAsciiWhitespace(text).empty()) return selector;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    Requirement r;
    size_t at = part.find("!=");
    r.equal = at == absl::string_view::npos;
    size_t skip = 2;
    if (r.equal) {
      at = part.find("==");
      if (at == absl::string_view::npos) {
        at = part.find('=');
        skip = 1;
      }
    }
    if (at == absl::string_view::npos) {
      return BadRequestError(
          absl::StrCat("invalid selector: '", text, "'; can't understand '", part, "'"));
    }
    r.field = Trim(part.substr(0, at));
    r.value = Trim(part.substr(at + skip));
    if (std::find(selectable.begin(), selectable.end(), r.field) == selectable.end()) {
      return BadRequestError(absl::StrCat("field label not supported: ", r.field));
    }
    r.path = absl::StrSplit(r.field, '.');
    selector.requirements_.push_back(std::move(r));
    if (selector.requirements_.size() > kRequirementsMax) {
      return BadRequestError("the field selector is too long");
    }
  }
  return selector;
}

bool FieldSelector::Matches(const Json& object) const {
  for (const Requirement& r : requirements_) {
    const Json* at = &object;
    for (const std::string& step : r.path) {
      const Json* next = FindPath(*at, {step});
      at = next;
      if (at == nullptr) break;
    }
    std::string value;
    if (at != nullptr && at->is_string()) value = at->get<std::string>();
    if (at != nullptr && (at->is_boolean() || at->is_number())) value = DumpJson(*at);
    // An absent boolean is false in Kubernetes' own conversion (spec.unschedulable).
    if (at == nullptr && r.field == "spec.unschedulable") value = "false";
    if ((value == r.value) != r.equal) return false;
  }
  return true;
}

std::optional<std::string> FieldSelector::Exact(absl::string_view field) const {
  for (const Requirement& r : requirements_) {
    if (r.equal && r.field == field) return r.value;
  }
  return std::nullopt;
}

}  // namespace skerry::kubeapi
