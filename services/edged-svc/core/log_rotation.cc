#include "services/edged-svc/core/log_rotation.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace skerry::edged {
namespace {

constexpr char kStampFormat[] = "%E4Y%m%d-%H%M%S";  // %Y would take all eight digits.
constexpr char kCompressed[] = ".gz";
constexpr char kUnfinished[] = ".tmp";

// The stamp's text counts, not the instant: local time may run twice through the same hour.
bool ParseStamp(absl::string_view text, absl::Time* time) {
  return absl::ParseTime(kStampFormat, text, absl::UTCTimeZone(), time, nullptr) &&
         absl::FormatTime(kStampFormat, *time, absl::UTCTimeZone()) == text;
}

absl::string_view StampOf(absl::string_view name) {
  absl::ConsumeSuffix(&name, kUnfinished);
  absl::ConsumeSuffix(&name, kCompressed);
  return name.substr(name.rfind('.') + 1);
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool IsRotated(absl::string_view log, absl::string_view name) {
  absl::Time ignored;
  if (!absl::ConsumePrefix(&name, log) || !absl::ConsumePrefix(&name, ".")) return false;
  absl::ConsumeSuffix(&name, kUnfinished);
  absl::ConsumeSuffix(&name, kCompressed);
  return ParseStamp(name, &ignored);
}

RotationPlan PlanRotation(std::vector<std::string> rotated, int64_t files_max) {
  RotationPlan plan;
  std::sort(rotated.begin(), rotated.end());
  std::vector<std::string> kept;
  for (const std::string& name : rotated) {
    const bool leftover =
        absl::EndsWith(name, kUnfinished) ||
        (!absl::EndsWith(name, kCompressed) && Contains(rotated, name + kCompressed));
    (leftover ? plan.remove : kept).push_back(name);
  }
  // The current log becomes one of them, and there will be a new current one.
  const size_t stay = static_cast<size_t>(std::max<int64_t>(0, files_max - 2));
  const size_t excess = kept.size() > stay ? kept.size() - stay : 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (i < excess) {
      plan.remove.push_back(kept[i]);
    } else if (!absl::EndsWith(kept[i], kCompressed)) {
      plan.compress.push_back(kept[i]);
    }
  }
  return plan;
}

std::string Newest(const std::vector<std::string>& rotated) {
  if (rotated.empty()) return "";
  const std::string& newest = *std::max_element(rotated.begin(), rotated.end());
  return absl::EndsWith(newest, kCompressed) || absl::EndsWith(newest, kUnfinished) ? "" : newest;
}

std::string RotatedName(absl::string_view log, const std::vector<std::string>& rotated,
                        absl::Time now, absl::TimeZone zone) {
  std::string stamp = absl::FormatTime(kStampFormat, now, zone);
  absl::Time newest;
  for (const std::string& name : rotated) {
    if (ParseStamp(StampOf(name), &newest) && StampOf(name) >= stamp)
      stamp = absl::FormatTime(kStampFormat, newest + absl::Seconds(1), absl::UTCTimeZone());
  }
  return absl::StrCat(log, ".", stamp);
}

}  // namespace skerry::edged
