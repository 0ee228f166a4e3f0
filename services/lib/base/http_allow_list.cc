#include "services/lib/base/http_allow_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry {
namespace {

bool IsMethod(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isupper(c)) return false;
  }
  return !text.empty();
}

// Takes ":*" after the host away.
bool TakeAnyPort(std::string& text) {
  const size_t start = text.find("://");
  if (start == std::string::npos) return false;
  const size_t end = std::min(text.find('/', start + 3), text.size());
  if (end < start + 5 || !absl::EndsWith(absl::string_view(text).substr(0, end), ":*"))
    return false;
  text.erase(end - 2, 2);
  return true;
}

}  // namespace

absl::StatusOr<HttpAllowList::Entry> HttpAllowList::ParseEntry(absl::string_view field,
                                                               absl::string_view text) {
  Entry entry;
  const size_t space = text.find(' ');
  std::string url(text);
  if (space != absl::string_view::npos) {
    for (absl::string_view method : absl::StrSplit(text.substr(0, space), '|')) {
      if (!IsMethod(method))
        return InvalidField(field, text, "name methods as in \"GET|POST http://127.0.0.1:8080/\"");
      entry.methods.insert(std::string(method));
    }
    url = std::string(text.substr(space + 1));
  }
  entry.any_port = TakeAnyPort(url);
  SKERRY_ASSIGN_OR_RETURN(entry.url, ParseHttpUrl(field, url));
  if (!entry.url.query.empty()) return InvalidField(field, text, "leave out the query");
  return entry;
}

absl::StatusOr<HttpAllowList> HttpAllowList::Parse(absl::string_view field,
                                                   const std::vector<std::string>& entries) {
  HttpAllowList list;
  for (const std::string& text : entries) {
    SKERRY_ASSIGN_OR_RETURN(Entry entry, ParseEntry(field, text));
    list.entries_.push_back(std::move(entry));
  }
  return list;
}

bool HttpAllowList::Allows(absl::string_view method, const HttpUrl& url) const {
  for (const Entry& entry : entries_) {
    if (entry.url.scheme == url.scheme && entry.url.host == url.host &&
        (entry.any_port || entry.url.port == url.port) && IsPathBelow(url.path, entry.url.path) &&
        (entry.methods.empty() || entry.methods.count(std::string(method)) != 0)) {
      return true;
    }
  }
  return false;
}

}  // namespace skerry
