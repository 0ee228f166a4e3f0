#include "services/lib/kubeapi/json_path.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::kubeapi {
namespace {

absl::Status Wrong(absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("cannot read the JSON path ", text));
}

std::string Unquoted(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

}  // namespace

absl::StatusOr<ColumnPath> ColumnPath::Parse(absl::string_view text) {
  ColumnPath path;
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  if (absl::StartsWith(rest, "{") && absl::EndsWith(rest, "}"))
    rest = rest.substr(1, rest.size() - 2);
  absl::ConsumePrefix(&rest, "$");
  while (!rest.empty()) {
    if (rest[0] == '[') {
      // A quoted or filtered subscript may hold ']' only inside quotes; columns in the wild never
      // do.
      const size_t end = rest.find(']');
      if (end == absl::string_view::npos) return Wrong(text);
      const absl::string_view inner = absl::StripAsciiWhitespace(rest.substr(1, end - 1));
      rest.remove_prefix(end + 1);
      Step step{Step::Kind::kAll};
      int64_t index = 0;
      if (inner == "*") {
        step.kind = Step::Kind::kAll;
      } else if (absl::StartsWith(inner, "?(@.") && absl::EndsWith(inner, ")")) {
        const std::vector<std::string> sides =
            absl::StrSplit(inner.substr(4, inner.size() - 5), absl::MaxSplits("==", 1));
        if (sides.size() != 2) return Wrong(text);
        step.kind = Step::Kind::kFilter;
        step.filter = absl::StrSplit(absl::StripAsciiWhitespace(sides[0]), '.');
        step.value = Unquoted(sides[1]);
      } else if (absl::SimpleAtoi(inner, &index)) {
        step.kind = Step::Kind::kIndex;
        step.index = index;
      } else {
        step.kind = Step::Kind::kMember;
        step.name = Unquoted(inner);
      }
      path.steps_.push_back(std::move(step));
      continue;
    }
    if (rest[0] == '.') rest.remove_prefix(1);
    std::string name;
    while (!rest.empty() && rest[0] != '.' && rest[0] != '[') {
      if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
      name.push_back(rest[0]);
      rest.remove_prefix(1);
    }
    if (name.empty() && !rest.empty() && rest[0] == '[') continue;
    if (name.empty()) return Wrong(text);
    if (name == "*") {
      path.steps_.push_back({Step::Kind::kAll});
    } else {
      path.steps_.push_back({Step::Kind::kMember, std::move(name)});
    }
  }
  if (path.steps_.empty()) return Wrong(text);
  return path;
}

std::vector<const Json*> ColumnPath::Find(const Json& object) const {
  std::vector<const Json*> at = {&object};
  for (const Step& step : steps_) {
    std::vector<const Json*> next;
    for (const Json* value : at) {
      switch (step.kind) {
        case Step::Kind::kMember:
          if (const Json* member = FindPath(*value, {step.name}); member != nullptr)
            next.push_back(member);
          break;
        case Step::Kind::kIndex: {
          const int64_t size = value->is_array() ? static_cast<int64_t>(value->size()) : 0;
          const int64_t index = step.index < 0 ? size + step.index : step.index;
          if (index >= 0 && index < size) next.push_back(&(*value)[static_cast<size_t>(index)]);
          break;
        }
        case Step::Kind::kAll:
          if (value->is_structured()) {
            for (const Json& item : *value) next.push_back(&item);
          }
          break;
        case Step::Kind::kFilter:
          if (!value->is_array()) break;
          for (const Json& item : *value) {
            const Json* member = &item;
            for (const std::string& name : step.filter) {
              if (member != nullptr) member = FindPath(*member, {name});
            }
            if (member == nullptr) continue;
            const std::string text =
                member->is_string() ? member->get<std::string>() : DumpJson(*member);
            if (text == step.value) next.push_back(&item);
          }
          break;
      }
    }
    at = std::move(next);
  }
  return at;
}

}  // namespace skerry::kubeapi
