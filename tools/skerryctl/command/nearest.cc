#include "tools/skerryctl/command/nearest.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace skerry::skerryctl {
namespace {

constexpr size_t kWordMax = 64;

// Optimal string alignment: Levenshtein's distance, where two swapped neighbours count one.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string Nearest(absl::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() < 2 || word.size() > kWordMax) return "";
  std::string nearest;
  size_t least = kWordMax;
  for (const std::string& candidate : candidates) {
    const size_t distance =
        word.size() > 2 && absl::StartsWith(candidate, word) ? 1 : Distance(word, candidate);
    if (distance < least && distance <= std::max<size_t>(1, candidate.size() / 3)) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace skerry::skerryctl
