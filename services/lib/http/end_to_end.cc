#include "services/lib/http/end_to_end.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace skerry::http {

std::vector<std::pair<std::string, std::string>> EndToEnd(
    const std::vector<std::pair<std::string, std::string>>& headers) {
  std::set<std::string> left_out = {"connection",
                                    "keep-alive",
                                    "proxy-authenticate",
                                    "proxy-authorization",
                                    "proxy-connection",
                                    "te",
                                    "trailer",
                                    "transfer-encoding",
                                    "upgrade",
                                    "host",
                                    "content-length",
                                    "expect"};
  for (const auto& [name, value] : headers) {
    if (!absl::EqualsIgnoreCase(name, "connection")) continue;
    for (absl::string_view named : absl::StrSplit(value, ',')) {
      left_out.insert(absl::AsciiStrToLower(absl::StripAsciiWhitespace(named)));
    }
  }
  std::vector<std::pair<std::string, std::string>> passed;
  for (const auto& header : headers) {
    if (left_out.count(absl::AsciiStrToLower(header.first)) == 0) passed.push_back(header);
  }
  return passed;
}

bool IsHeaderName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_isalnum(c) && !absl::StrContains("!#$%&'*+-.^_`|~", c)) return false;
  }
  return !name.empty();
}

bool IsHeaderValue(absl::string_view value) {
  for (const char c : value) {
    if (absl::ascii_iscntrl(c) && c != '\t') return false;
  }
  return true;
}

}  // namespace skerry::http
