#include "services/twin-svc/wire/reading_wire.h"

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/rpc/proto_time.h"

namespace skerry::twin {

absl::Time TimeOfReading(const Value& value) {
  constexpr int64_t kYear9999 = 253'402'300'799'000;
  const auto it = value.metadata.find("timestamp");
  int64_t millis = 0;
  if (it == value.metadata.end() || !absl::SimpleAtoi(it->second, &millis) || millis <= 0 ||
      millis > kYear9999) {
    return value.time;
  }
  return absl::FromUnixMillis(millis);
}

std::vector<std::string> ReadingsOf(absl::string_view uid, const Write& write) {
  std::vector<std::string> out;
  v1::Readings message;
  size_t bytes = 0;
  const auto finish = [&] {
    message.set_uid(std::string(uid));
    out.push_back(message.SerializeAsString());
    message.Clear();
    bytes = 0;
  };
  for (const auto& [name, value] : write.reported) {
    v1::Reading& reading = *message.add_readings();
    reading.set_property(name);
    reading.set_value(value.value);
    *reading.mutable_time() = rpc::ToProto(TimeOfReading(value));
    bytes += name.size() + value.value.size() + 32;
    if (bytes >= kReadingsBytesMax) finish();
  }
  if (bytes > 0) finish();
  return out;
}

}  // namespace skerry::twin
