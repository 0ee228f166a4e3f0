#include "services/twin-svc/wire/reading_wire.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_link.pb.h"

namespace skerry::twin {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Value Of(const std::string& value, const std::string& timestamp = "") {
  Value out{.value = value, .writer = "mapper", .time = kNow};
  if (!timestamp.empty()) out.metadata["timestamp"] = timestamp;
  return out;
}

TEST(ReadingWireTest, TheTimeIsTheWritersWhereItGaveOne) {
  EXPECT_EQ(TimeOfReading(Of("1")), kNow);
  EXPECT_EQ(TimeOfReading(Of("1", "1700000000123")), absl::FromUnixMillis(1700000000123));
  for (const char* none :
       {"0", "-5", "yesterday", "1700000000123.5", "253402300800000", "99999999999999999999999"}) {
    EXPECT_EQ(TimeOfReading(Of("1", none)), kNow) << none;
  }
}

TEST(ReadingWireTest, OneWriteIsOneMessage) {
  const auto readings =
      ReadingsOf("u1", {.reported = {{"level", Of("1.5")}, {"speed", Of("2", "1700000000123")}}});
  ASSERT_EQ(readings.size(), 1u);
  v1::Readings message;
  ASSERT_TRUE(message.ParseFromString(readings[0]));
  EXPECT_EQ(message.uid(), "u1");
  ASSERT_EQ(message.readings_size(), 2);
  EXPECT_EQ(message.readings(0).property(), "level");
  EXPECT_EQ(message.readings(0).value(), "1.5");
  EXPECT_EQ(message.readings(0).time().seconds(), 1'800'000'000);
  EXPECT_EQ(message.readings(1).time().seconds(), 1'700'000'000);
  EXPECT_TRUE(ReadingsOf("u1", {.desired = {{"level", Of("2")}}}).empty());
}

TEST(ReadingWireTest, ALargeWriteIsSeveralThatEachFitTheLink) {
  Write write;
  for (int i = 0; i < 30; ++i) {
    write.reported[absl::StrCat("p", i)] = Of(std::string(32 << 10, 'x'));
  }
  int readings = 0;
  for (const std::string& each : ReadingsOf("u1", write)) {
    EXPECT_LE(each.size(), 256u << 10);
    v1::Readings message;
    ASSERT_TRUE(message.ParseFromString(each));
    EXPECT_EQ(message.uid(), "u1");
    readings += message.readings_size();
  }
  EXPECT_EQ(readings, 30);
}

}  // namespace
}  // namespace skerry::twin
