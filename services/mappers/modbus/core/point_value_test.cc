#include "services/mappers/modbus/core/point_value.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Words = std::vector<uint16_t>;

Point At(TextForm form, WireType type, uint16_t count, double scale = 1) {
  return {.property = "p", .form = form, .offset = 7, .count = count, .type = type, .scale = scale};
}

// A value that reads as `text`, and whose text is written as it stands.
struct Row {
  Point point;
  Words words;
  const char* text;
};

std::vector<Row> Integers() {
  const auto whole = [](WireType type, uint16_t count) { return At(TextForm::kInt, type, count); };
  const Point int16 = whole(WireType::kInt16, 1);
  const Point uint16 = whole(WireType::kUint16, 1);
  const Point int32 = whole(WireType::kInt32, 2);
  const Point uint32 = whole(WireType::kUint32, 2);
  const Point int64 = whole(WireType::kInt64, 4);
  const Point uint64 = whole(WireType::kUint64, 4);
  return {
      {int16, {0}, "0"},
      {int16, {0x7FFF}, "32767"},
      {int16, {0x8000}, "-32768"},
      {int16, {0xFFFF}, "-1"},
      {uint16, {0x8000}, "32768"},
      {uint16, {0xFFFF}, "65535"},
      {int32, {0x7FFF, 0xFFFF}, "2147483647"},
      {int32, {0x8000, 0}, "-2147483648"},
      {int32, {0xFFFF, 0xFFFE}, "-2"},
      {uint32, {0, 1}, "1"},
      {uint32, {1, 0}, "65536"},
      {uint32, {0xFFFF, 0xFFFF}, "4294967295"},
      {int64, {0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF}, "9223372036854775807"},
      {int64, {0x8000, 0, 0, 0}, "-9223372036854775808"},
      {int64, {0x0020, 0, 0, 1}, "9007199254740993"},  // 2^53 + 1: no double.
      {uint64, {0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF}, "9223372036854775807"},
      {uint64, {0, 0, 1, 2}, "65538"},
  };
}

std::vector<Row> Reals() {
  const Point float32 = At(TextForm::kFloat, WireType::kFloat32, 2);
  const Point wide = At(TextForm::kDouble, WireType::kFloat32, 2);
  const Point float64 = At(TextForm::kDouble, WireType::kFloat64, 4);
  return {
      {float32, {0x41AC, 0}, "21.5"},
      {float32, {0x3DCC, 0xCCCD}, "0.1"},
      {wide, {0x3DCC, 0xCCCD}, "0.1"},
      {float32, {0xC2F6, 0xE979}, "-123.456"},
      {float32, {0x7F7F, 0xFFFF}, "3.4028234663852886e+38"},
      {float32, {0, 1}, "1e-45"},
      {float64, {0x3FB9, 0x9999, 0x9999, 0x999A}, "0.1"},
      {float64, {0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF}, "1.7976931348623157e+308"},
      {float64, {0xC000, 0, 0, 0}, "-2"},
  };
}

std::vector<Row> ScaledNumbers() {
  return {
      {At(TextForm::kFloat, WireType::kUint16, 1, 0.1), {215}, "21.5"},
      {At(TextForm::kFloat, WireType::kInt16, 1, 0.1), {0xFFFD}, "-0.3"},
      {At(TextForm::kDouble, WireType::kInt16, 1, 0.1), {3}, "0.3"},
      {At(TextForm::kDouble, WireType::kUint32, 2, 0.001), {0x0001, 0x86A3}, "100.003"},
      {At(TextForm::kInt, WireType::kUint16, 1, 10), {0xFFFF}, "655350"},
      {At(TextForm::kInt, WireType::kInt16, 1, -1), {5}, "-5"},
      {At(TextForm::kDouble, WireType::kFloat64, 4, 2), {0x4008, 0, 0, 0}, "6"},
      {At(TextForm::kFloat, WireType::kFloat32, 2, 0.5), {0x40A0, 0}, "2.5"},
  };
}

std::vector<Row> Texts() {
  const auto bits = [](TextForm form, uint16_t count) {
    Point point = At(form, WireType::kBits, count);
    point.table = Table::kCoil;
    return point;
  };
  return {
      {At(TextForm::kBoolean, WireType::kUint16, 1), {1}, "true"},
      {At(TextForm::kBoolean, WireType::kUint16, 1), {0}, "false"},
      {bits(TextForm::kBoolean, 1), {1}, "true"},
      {bits(TextForm::kBoolean, 1), {0}, "false"},
      {bits(TextForm::kInt, 1), {1}, "1"},
      {bits(TextForm::kInt, 4), {0, 1, 0, 1}, "10"},
      {bits(TextForm::kInt, 32), Words(32, 1), "4294967295"},
      {At(TextForm::kString, WireType::kString, 2), {0x4142, 0x4300}, "ABC"},
      {At(TextForm::kString, WireType::kString, 2), {0x4142, 0x4344}, "ABCD"},
      {At(TextForm::kString, WireType::kString, 1), {0}, ""},
      {At(TextForm::kString, WireType::kString, 1), {0xC3A4}, "ä"},
      {At(TextForm::kBytes, WireType::kBytes, 2), {0x00FF, 0x1A0C}, "00ff1a0c"},
  };
}

TEST(PointValueTest, ReadsAndWrites) {
  std::vector<Row> rows = Integers();
  for (const auto& more : {Reals(), ScaledNumbers(), Texts()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_THAT(Decode(row.point, row.words), IsOkAndHolds(row.text));
    EXPECT_THAT(Encode(row.point, row.text), IsOkAndHolds(row.words));
  }
}

// Each order of the same value, in 2 and in 4 registers, as a device with that order has it.
TEST(PointValueTest, EveryOrderOfBytes) {
  struct Order {
    bool swap_bytes;
    bool swap_registers;
    Words two;   // 0x12345678
    Words four;  // 0x0102030405060708
    Words real;  // 21.5f, 0x41AC0000
  };
  const Order orders[] = {
      {false, false, {0x1234, 0x5678}, {0x0102, 0x0304, 0x0506, 0x0708}, {0x41AC, 0}},
      {true, false, {0x3412, 0x7856}, {0x0201, 0x0403, 0x0605, 0x0807}, {0xAC41, 0}},
      {false, true, {0x5678, 0x1234}, {0x0708, 0x0506, 0x0304, 0x0102}, {0, 0x41AC}},
      {true, true, {0x7856, 0x3412}, {0x0807, 0x0605, 0x0403, 0x0201}, {0, 0xAC41}},
  };
  for (const Order& order : orders) {
    const auto expect = [&](Point point, const Words& words, const char* text) {
      point.swap_bytes = order.swap_bytes;
      point.swap_registers = order.swap_registers;
      EXPECT_THAT(Decode(point, words), IsOkAndHolds(text));
      EXPECT_THAT(Encode(point, text), IsOkAndHolds(words));
    };
    expect(At(TextForm::kInt, WireType::kInt32, 2), order.two, "305419896");
    expect(At(TextForm::kInt, WireType::kUint32, 2), order.two, "305419896");
    expect(At(TextForm::kInt, WireType::kInt64, 4), order.four, "72623859790382856");
    expect(At(TextForm::kFloat, WireType::kFloat32, 2), order.real, "21.5");
  }
}

TEST(PointValueTest, RoundsWhatIsRead) {
  EXPECT_THAT(Decode(At(TextForm::kInt, WireType::kUint16, 1, 0.1), Words{25}), IsOkAndHolds("3"));
  EXPECT_THAT(Decode(At(TextForm::kInt, WireType::kInt16, 1, 0.1), Words{0xFFE7}),
              IsOkAndHolds("-3"));
  EXPECT_THAT(Decode(At(TextForm::kInt, WireType::kFloat32, 2), Words{0x41AC, 0}),
              IsOkAndHolds("22"));
  EXPECT_THAT(Decode(At(TextForm::kInt, WireType::kUint16, 1, 0.01), Words{2900}),
              IsOkAndHolds("29"));
  EXPECT_THAT(Decode(At(TextForm::kDouble, WireType::kUint64, 4), Words(4, 0xFFFF)),
              IsOkAndHolds("18446744073709551616"));
}

TEST(PointValueTest, RoundsWhatIsWritten) {
  EXPECT_THAT(Encode(At(TextForm::kFloat, WireType::kUint16, 1, 0.1), "21.46"),
              IsOkAndHolds(Words{215}));
  EXPECT_THAT(Encode(At(TextForm::kFloat, WireType::kInt16, 1), "-2.5"),
              IsOkAndHolds(Words{0xFFFD}));
  EXPECT_THAT(Encode(At(TextForm::kInt, WireType::kFloat32, 2), "22"),
              IsOkAndHolds(Words{0x41B0, 0}));
}

TEST(PointValueTest, BooleansAndBits) {
  Point point = At(TextForm::kBoolean, WireType::kUint16, 1);
  EXPECT_THAT(Decode(point, Words{0x0800}), IsOkAndHolds("true"));
  point.bit = 11;
  EXPECT_THAT(Decode(point, Words{0x0800}), IsOkAndHolds("true"));
  EXPECT_THAT(Decode(point, Words{0xF7FF}), IsOkAndHolds("false"));
  point.swap_bytes = true;
  EXPECT_THAT(Decode(point, Words{0x0008}), IsOkAndHolds("true"));
}

TEST(PointValueTest, TextEndsAtNulAndBeforeSpaces) {
  const Point point = At(TextForm::kString, WireType::kString, 3);
  EXPECT_THAT(Decode(point, Words{0x4120, 0x0042, 0x4343}), IsOkAndHolds("A"));
  EXPECT_THAT(Decode(point, Words{0x2020, 0x2020, 0x2020}), IsOkAndHolds(""));
  Point swapped = point;
  swapped.swap_bytes = true;
  EXPECT_THAT(Decode(swapped, Words{0x4241, 0x4443, 0x0045}), IsOkAndHolds("ABCDE"));
}

TEST(PointValueTest, NamesWhatCannotBeRead) {
  const struct {
    Point point;
    Words words;
    const char* held;
  } cases[] = {
      {At(TextForm::kFloat, WireType::kFloat32, 2), {0x7FC0, 0}, "nan"},
      {At(TextForm::kDouble, WireType::kFloat32, 2), {0xFF80, 0}, "-inf"},
      {At(TextForm::kInt, WireType::kFloat64, 4), {0x7FF8, 0, 0, 0}, "nan"},
      {At(TextForm::kInt, WireType::kFloat32, 2), {0x7F7F, 0xFFFF}, "e+38"},
      {At(TextForm::kInt, WireType::kUint64, 4), {0x8000, 0, 0, 0}, "9223372036854775808"},
      {At(TextForm::kFloat, WireType::kFloat64, 4), {0x7FEF, 0, 0, 0}, "e+308"},
      {At(TextForm::kFloat, WireType::kFloat32, 2, 1e12), {0x7F7F, 0xFFFF}, "e+50"},
  };
  for (const auto& each : cases) {
    const auto value = Decode(each.point, each.words);
    EXPECT_THAT(value, StatusIsWith(absl::StatusCode::kOutOfRange,
                                    AllOf(HasSubstr("property p"), HasSubstr("HoldingRegister 7"),
                                          HasSubstr(each.held))));
    EXPECT_THAT(value, HasReason("VALUE_RANGE"));
  }
  EXPECT_THAT(Decode(At(TextForm::kString, WireType::kString, 1), Words{0xFFFE}),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           AllOf(HasSubstr("'p'"), HasSubstr("0xfffe"))));
  EXPECT_THAT(Decode(At(TextForm::kInt, WireType::kUint32, 2), Words{1}),
              StatusIsWith(absl::StatusCode::kInternal, HasSubstr("property p")));
}

TEST(PointValueTest, NamesWhatCannotBeWritten) {
  Point coils = At(TextForm::kInt, WireType::kBits, 4);
  coils.table = Table::kCoil;
  const struct {
    Point point;
    const char* text;
    const char* fix;
  } cases[] = {
      {At(TextForm::kInt, WireType::kInt16, 1), "32768", "int16: give -32768 to 32767"},
      {At(TextForm::kInt, WireType::kInt16, 1), "-32769", "int16"},
      {At(TextForm::kInt, WireType::kUint16, 1), "-1", "uint16: give 0 to 65535"},
      {At(TextForm::kInt, WireType::kUint32, 2), "4294967296", "uint32"},
      {At(TextForm::kInt, WireType::kUint64, 4), "-1", "uint64"},
      {At(TextForm::kFloat, WireType::kUint16, 1, 0.1), "6553.6", "give 0 to 6553.5"},
      {At(TextForm::kDouble, WireType::kFloat32, 2), "1e39", "float32"},
      {At(TextForm::kDouble, WireType::kFloat64, 4, 1e-12), "1e300", "float64"},
      {coils, "16", "give 0 to 15: it has 4 bits"},
      {coils, "-1", "give 0 to 15"},
      {coils, "1.5", "give 0 to 15"},
      {At(TextForm::kString, WireType::kString, 1), "ABC", "at most 2"},
      {At(TextForm::kBytes, WireType::kBytes, 1), "00f", "4 hexadecimal digits"},
      {At(TextForm::kBytes, WireType::kBytes, 1), "00fg", "4 hexadecimal digits"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    const auto words = Encode(each.point, each.text);
    EXPECT_THAT(words, StatusIsWith(absl::StatusCode::kInvalidArgument,
                                    AllOf(HasSubstr("'p'"), HasSubstr(each.fix))));
    EXPECT_THAT(words, HasReason("VALUE_RANGE"));
  }
}

}  // namespace
}  // namespace skerry::mapper::modbus
