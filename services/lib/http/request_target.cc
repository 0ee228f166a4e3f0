#include "services/lib/http/request_target.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/status_macros.h"

namespace skerry::http {
namespace {

constexpr size_t kParametersMax = 256;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

absl::StatusOr<std::string> Decode(absl::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return absl::InvalidArgumentError("bad percent escape in the request target");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return absl::InvalidArgumentError("NUL in the request target");
    decoded += c;
  }
  return decoded;
}

}  // namespace

absl::StatusOr<RequestTarget> ParseRequestTarget(absl::string_view target) {
  target = target.substr(0, target.find('#'));
  if (target.empty() || target[0] != '/') {
    return absl::InvalidArgumentError("the request target is not an absolute path");
  }
  RequestTarget parsed;
  const size_t question = target.find('?');
  SKERRY_ASSIGN_OR_RETURN(parsed.path, Decode(target.substr(0, question), false));
  if (question == absl::string_view::npos) return parsed;
  for (absl::string_view part :
       absl::StrSplit(target.substr(question + 1), '&', absl::SkipEmpty())) {
    if (parsed.query.size() == kParametersMax)
      return absl::InvalidArgumentError("too many query parameters");
    const size_t equals = part.find('=');
    SKERRY_ASSIGN_OR_RETURN(std::string name, Decode(part.substr(0, equals), true));
    std::string value;
    if (equals != absl::string_view::npos) {
      SKERRY_ASSIGN_OR_RETURN(value, Decode(part.substr(equals + 1), true));
    }
    parsed.query.emplace_back(std::move(name), std::move(value));
  }
  return parsed;
}

}  // namespace skerry::http
