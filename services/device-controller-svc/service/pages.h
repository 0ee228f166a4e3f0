// What lists and queries of the API have in common.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_PAGES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_PAGES_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstddef>
#include <initializer_list>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::devicecontroller {

// A page ends where it has more. With one entry beyond it, which is up to 44 KiB, and the rest of a
// message, that is below gRPC's 4 MiB.
constexpr size_t kPageBytesMax = 2u << 20;
// What a page takes from a store at a time: bounds what is read in vain.
constexpr size_t kChunk = 50;

// 0 is 50, above 1,000 is 1,000. INVALID_ARGUMENT below 0.
absl::StatusOr<size_t> PageSize(int page_size);

// What a page token is of: a list and the fields of its request, whatever is in them.
std::string TokenScope(std::initializer_list<absl::string_view> fields);

struct TimeRange {
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();  // Without it.
};
// Null: open at that end. INVALID_ARGUMENT where a time is none.
absl::StatusOr<TimeRange> RangeOf(const google::protobuf::Timestamp* start,
                                  const google::protobuf::Timestamp* end);
// Of token scopes: the same for the same range.
std::string ToText(const TimeRange& range);

// INVALID_ARGUMENT where it is none, below `min` or above `max`.
absl::StatusOr<absl::Duration> DurationOf(absl::string_view field,
                                          const google::protobuf::Duration& message,
                                          absl::Duration min, absl::Duration max);
void SetDuration(absl::Duration duration, google::protobuf::Duration& message);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_PAGES_H_
