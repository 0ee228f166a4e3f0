#include "services/lib/kubeapi/human.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace skerry::kubeapi {
namespace {

// "3m12s", or "3m" where the smaller part is nothing.
std::string Two(int64_t big, const char* big_unit, int64_t small, const char* small_unit) {
  if (small == 0) return absl::StrCat(big, big_unit);
  return absl::StrCat(big, big_unit, small, small_unit);
}

}  // namespace

std::string HumanDuration(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60 * 2) return absl::StrCat(seconds, "s");
  const int64_t minutes = seconds / 60;
  if (minutes < 10) return Two(minutes, "m", seconds % 60, "s");
  if (minutes < 60 * 3) return absl::StrCat(minutes, "m");
  const int64_t hours = minutes / 60;
  if (hours < 8) return Two(hours, "h", minutes % 60, "m");
  if (hours < 48) return absl::StrCat(hours, "h");
  if (hours < 24 * 8) return Two(hours / 24, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return absl::StrCat(hours / 24, "d");
  if (hours < 24 * 365 * 8) return Two(hours / 24 / 365, "y", hours / 24 % 365, "d");
  return absl::StrCat(hours / 24 / 365, "y");
}

std::string AgeSince(absl::string_view timestamp, absl::Time now) {
  absl::Time then;
  if (timestamp.empty() || !absl::ParseTime(absl::RFC3339_full, timestamp, &then, nullptr))
    return "<unknown>";
  return HumanDuration(now - then);
}

std::string KubeTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace skerry::kubeapi
