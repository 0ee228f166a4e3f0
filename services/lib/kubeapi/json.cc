#include "services/lib/kubeapi/json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::kubeapi {
namespace {

// Counts brackets outside strings, so that the parser and every walker meet a bounded depth only.
size_t Depth(absl::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest) deepest = depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  if (Depth(text) > kJsonDepthMax) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("JSON is nested deeper than ", kJsonDepthMax, " levels"));
  }
  // The parser takes a raw NUL for the end of the text; JSON has none, not even in strings.
  const bool whole = text.find('\0') == absl::string_view::npos;
  Json value = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!whole || value.is_discarded()) {
    return Error(absl::StatusCode::kInvalidArgument, "the text is not valid JSON");
  }
  return value;
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* FindPath(const Json& value, JsonPath path) {
  const Json* at = &value;
  for (const absl::string_view step : path) {
    if (!at->is_object()) return nullptr;
    const auto member = at->find(std::string(step));
    if (member == at->end()) return nullptr;
    at = &*member;
  }
  return at;
}

std::string StringAt(const Json& value, JsonPath path) {
  const Json* at = FindPath(value, path);
  return at != nullptr && at->is_string() ? at->get<std::string>() : std::string();
}

int64_t IntAt(const Json& value, JsonPath path, int64_t fallback) {
  const Json* at = FindPath(value, path);
  return at != nullptr && at->is_number_integer() ? at->get<int64_t>() : fallback;
}

bool BoolAt(const Json& value, JsonPath path, bool fallback) {
  const Json* at = FindPath(value, path);
  return at != nullptr && at->is_boolean() ? at->get<bool>() : fallback;
}

const Json& ArrayAt(const Json& value, JsonPath path) {
  static const Json& empty = *new Json(Json::array());
  const Json* at = FindPath(value, path);
  return at != nullptr && at->is_array() ? *at : empty;
}

const Json& ObjectAt(const Json& value, JsonPath path) {
  static const Json& empty = *new Json(Json::object());
  const Json* at = FindPath(value, path);
  return at != nullptr && at->is_object() ? *at : empty;
}

void SetPath(Json& value, JsonPath path, Json member) {
  Json* at = &value;
  for (const absl::string_view step : path) {
    if (!at->is_object()) *at = Json::object();
    at = &(*at)[std::string(step)];
  }
  *at = std::move(member);
}

void ErasePath(Json& value, JsonPath path) {
  Json* at = &value;
  size_t left = path.size();
  for (const absl::string_view step : path) {
    if (!at->is_object()) return;
    if (--left == 0) {
      at->erase(std::string(step));
      return;
    }
    const auto member = at->find(std::string(step));
    if (member == at->end()) return;
    at = &*member;
  }
}

}  // namespace skerry::kubeapi
