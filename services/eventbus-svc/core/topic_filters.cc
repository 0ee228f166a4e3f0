#include "services/eventbus-svc/core/topic_filters.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_split.h"

namespace skerry::eventbus {

bool FilterCovers(absl::string_view filter, absl::string_view other) {
  const std::vector<absl::string_view> levels = absl::StrSplit(filter, '/');
  const std::vector<absl::string_view> others = absl::StrSplit(other, '/');
  for (size_t i = 0;; ++i) {
    // A wildcard in the first level matches no topic that begins with '$'.
    const bool wild = i < levels.size() && (levels[i] == "#" || levels[i] == "+");
    if (wild && i == 0 && !others[0].empty() && others[0].front() == '$') return false;
    if (i == levels.size()) return i == others.size();
    if (levels[i] == "#") return true;  // The parent level, too.
    if (i == others.size() || others[i] == "#") return false;
    if (levels[i] != "+" && levels[i] != others[i]) return false;
  }
}

std::set<std::string> FiltersBeside(const std::vector<std::string>& fixed,
                                    const std::set<std::string>& wanted) {
  std::set<std::string> beside;
  for (const std::string& filter : wanted) {
    const auto covers = [&filter](const std::string& other) {
      return FilterCovers(other, filter) && other != filter;
    };
    const bool covered = std::find(fixed.begin(), fixed.end(), filter) != fixed.end() ||
                         std::any_of(fixed.begin(), fixed.end(), covers) ||
                         std::any_of(wanted.begin(), wanted.end(), covers);
    if (!covered) beside.insert(filter);
  }
  return beside;
}

}  // namespace skerry::eventbus
