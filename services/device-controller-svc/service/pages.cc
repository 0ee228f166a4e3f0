#include "services/device-controller-svc/service/pages.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/security/x509.h"

namespace skerry::devicecontroller {
namespace {

constexpr size_t kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
// google/protobuf/duration.proto: 10,000 years.
constexpr int64_t kSecondsMax = 315576000000;
constexpr int32_t kNanosMax = 999999999;

absl::StatusOr<absl::Time> TimeOf(absl::string_view field,
                                  const google::protobuf::Timestamp& message) {
  const absl::StatusOr<absl::Time> time = rpc::FromProto(message);
  if (time.ok()) return *time;
  return InvalidField(field, absl::StrCat(message.seconds(), " s, ", message.nanos(), " ns"),
                      "give a time of the years 1 to 9999");
}

}  // namespace

absl::StatusOr<size_t> PageSize(int page_size) {
  if (page_size < 0)
    return InvalidField("page_size", absl::StrCat(page_size), "give 0 for 50, or up to 1000");
  if (page_size == 0) return kPageSizeDefault;
  return static_cast<size_t>(std::min(page_size, kPageSizeMax));
}

std::string TokenScope(std::initializer_list<absl::string_view> fields) {
  std::string whole;
  for (const absl::string_view field : fields) absl::StrAppend(&whole, field.size(), ":", field);
  return security::Sha256Hex(whole).substr(0, 32);
}

absl::StatusOr<TimeRange> RangeOf(const google::protobuf::Timestamp* start,
                                  const google::protobuf::Timestamp* end) {
  TimeRange range;
  if (start != nullptr) {
    SKERRY_ASSIGN_OR_RETURN(range.from, TimeOf("start_time", *start));
  }
  if (end != nullptr) {
    SKERRY_ASSIGN_OR_RETURN(range.to, TimeOf("end_time", *end));
  }
  return range;
}

std::string ToText(const TimeRange& range) {
  return absl::StrCat(absl::FormatTime(range.from, absl::UTCTimeZone()), "/",
                      absl::FormatTime(range.to, absl::UTCTimeZone()));
}

absl::StatusOr<absl::Duration> DurationOf(absl::string_view field,
                                          const google::protobuf::Duration& message,
                                          absl::Duration min, absl::Duration max) {
  const bool valid = message.seconds() >= -kSecondsMax && message.seconds() <= kSecondsMax &&
                     message.nanos() >= -kNanosMax && message.nanos() <= kNanosMax;
  const absl::Duration duration =
      absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos());
  if (valid && duration >= min && duration <= max) return duration;
  return InvalidField(
      field, absl::StrCat(message.seconds(), " s, ", message.nanos(), " ns"),
      absl::StrCat("give ", absl::FormatDuration(min), " to ", absl::FormatDuration(max)));
}

void SetDuration(absl::Duration duration, google::protobuf::Duration& message) {
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &duration);
  message.set_seconds(seconds);
  message.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

}  // namespace skerry::devicecontroller
