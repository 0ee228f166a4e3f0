#include "services/device-controller-svc/store/telemetry_rules.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/store/store_checks.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller::telemetry_rules {
namespace {

using store_checks::CheckBytes;
using store_checks::CheckCount;
using store_checks::CheckNumber;
using store_checks::CheckText;
using Store = TelemetryStore;

constexpr size_t kNumberBytesMax = 64;
// A sum of 10^17 of them is finite.
constexpr double kNumberMax = 1e290;

absl::Status CheckRow(const TelemetryEvents& events, const TelemetryRow& row) {
  if (row.sequence < events.first || row.sequence > events.last) {
    return InvalidField(
        "sequence", absl::StrCat(row.sequence),
        absl::StrCat("it must be of the events, ", events.first, " to ", events.last));
  }
  SKERRY_RETURN_IF_ERROR(CheckText("model", row.model, 0, Store::kModelBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckText("property", row.property, 1, Store::kNameBytesMax));
  return CheckBytes("value", row.value, Store::kValueBytesMax);
}

}  // namespace

absl::Status CheckAppend(const TelemetryEvents& events, absl::Span<const TelemetryRow> rows) {
  SKERRY_RETURN_IF_ERROR(CheckText("node", events.node, 1, Store::kNameBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckText("store_id", events.store_id, 1, Store::kNameBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckText("stream", events.stream, 1, Store::kNameBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckNumber("last", events.last));
  if (events.first < 1 || events.first > events.last) {
    return InvalidField("first", absl::StrCat(events.first),
                        absl::StrCat("it must be 1 to `last`, ", events.last));
  }
  if (!rows.empty()) SKERRY_RETURN_IF_ERROR(CheckCount("rows", rows.size(), Store::kRowsMax));
  size_t bytes = 0;
  for (const TelemetryRow& row : rows) {
    SKERRY_RETURN_IF_ERROR(
        Annotate(CheckRow(events, row), absl::StrCat("a row of ", row.device.value())));
    bytes += row.device.value().size() + row.model.size() + row.property.size() + row.value.size();
  }
  if (bytes <= Store::kAppendBytesMax) return absl::OkStatus();
  return InvalidField("rows", absl::StrCat("(", bytes, " bytes)"),
                      absl::StrCat("append at most ", Store::kAppendBytesMax, " at once"));
}

absl::Status CheckQuery(const TelemetryQuery& query) {
  SKERRY_RETURN_IF_ERROR(CheckText("property", query.property, 1, Store::kNameBytesMax));
  return CheckCount("count_max", query.count_max, Store::kPageMax);
}

absl::Status CheckAggregate(absl::string_view property, absl::Time from, absl::Time to,
                            absl::Duration width) {
  SKERRY_RETURN_IF_ERROR(CheckText("property", property, 1, Store::kNameBytesMax));
  const absl::Duration range = to - from;
  if (from == absl::InfinitePast() || range <= absl::ZeroDuration() ||
      range >= absl::InfiniteDuration()) {
    return InvalidField("to", absl::FormatTime(to, absl::UTCTimeZone()),
                        "give a range of time that has a beginning and, behind it, an end");
  }
  if (width < absl::Microseconds(1) || width % absl::Microseconds(1) != absl::ZeroDuration()) {
    return InvalidField("width", absl::FormatDuration(width), "give whole microseconds");
  }
  if (range > width * Store::kBucketsMax) {
    return InvalidField("width", absl::FormatDuration(width),
                        absl::StrCat("the range may have at most ", Store::kBucketsMax,
                                     " buckets: give a greater width or a shorter range"));
  }
  return absl::OkStatus();
}

absl::Status CheckModel(absl::string_view model) {
  return CheckText("model", model, 0, Store::kModelBytesMax);
}

TimeRange RangeOf(const TelemetryQuery& query) {
  TimeRange range{absl::ToUnixMicros(query.from), absl::ToUnixMicros(query.to)};
  if (!query.after.has_value()) return range;
  const int64_t after = absl::ToUnixMicros(query.after->time);
  if (!query.newest_first) {
    range.from_micros = std::max(range.from_micros, after);
  } else if (after < range.to_micros) {
    range.to_micros = after + 1;
  }
  return range;
}

std::optional<double> NumberOf(absl::string_view value) {
  double number = 0;
  if (value.size() > kNumberBytesMax || !absl::SimpleAtod(value, &number)) return std::nullopt;
  if (!std::isfinite(number) || std::abs(number) > kNumberMax) return std::nullopt;
  return number;
}

bool KeptByTime(absl::Time time, absl::Time arrival) {
  return time >= arrival - Store::kPastMax && time < arrival + Store::kFutureMax;
}

}  // namespace skerry::devicecontroller::telemetry_rules
