#include "services/lib/rpc/proto_time.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace skerry::rpc {
namespace {

// google/protobuf/timestamp.proto: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
constexpr int64_t kSecondsMin = -62135596800;
constexpr int64_t kSecondsMax = 253402300799;
constexpr int32_t kNanosMax = 999999999;

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp message;
  time = std::clamp(time, absl::FromUnixSeconds(kSecondsMin),
                    absl::FromUnixSeconds(kSecondsMax) + absl::Nanoseconds(kNanosMax));
  const int64_t seconds = absl::ToUnixSeconds(time);
  message.set_seconds(seconds);
  message.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return message;
}

absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& message) {
  if (message.seconds() < kSecondsMin || message.seconds() > kSecondsMax || message.nanos() < 0 ||
      message.nanos() > kNanosMax) {
    return absl::InvalidArgumentError(absl::StrCat("a time of ", message.seconds(), " s and ",
                                                   message.nanos(),
                                                   " ns is not in the years 1 to 9999"));
  }
  return absl::FromUnixSeconds(message.seconds()) + absl::Nanoseconds(message.nanos());
}

}  // namespace skerry::rpc
