#include "services/mappers/modbus/core/point.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

PointSettings In(const char* table, TextForm form) {
  return {.property = "p", .form = form, .table = table};
}

PointSettings Holding(TextForm form) { return In("HoldingRegister", form); }

TEST(PointTest, TheWidthFollowsFromTypeOrLimit) {
  struct Case {
    TextForm form;
    std::optional<std::string> type;
    std::optional<int64_t> limit;
    WireType wire;
    int count;
  };
  const Case cases[] = {
      {TextForm::kInt, {}, {}, WireType::kUint16, 1},
      {TextForm::kInt, {}, 0, WireType::kUint16, 1},
      {TextForm::kInt, {}, 1, WireType::kUint16, 1},
      {TextForm::kInt, {}, 2, WireType::kUint32, 2},
      {TextForm::kInt, {}, 4, WireType::kUint64, 4},
      {TextForm::kInt, "int16", {}, WireType::kInt16, 1},
      {TextForm::kInt, "INT32", 2, WireType::kInt32, 2},
      {TextForm::kInt, "int64", {}, WireType::kInt64, 4},
      {TextForm::kInt, "float32", {}, WireType::kFloat32, 2},
      {TextForm::kFloat, {}, 1, WireType::kUint16, 1},
      {TextForm::kFloat, {}, 2, WireType::kFloat32, 2},
      {TextForm::kDouble, {}, 4, WireType::kFloat64, 4},
      {TextForm::kDouble, "uint32", {}, WireType::kUint32, 2},
      {TextForm::kBoolean, {}, {}, WireType::kUint16, 1},
      {TextForm::kString, {}, 10, WireType::kString, 10},
      {TextForm::kString, "string", 123, WireType::kString, 123},
      {TextForm::kBytes, {}, 1, WireType::kBytes, 1},
  };
  for (const Case& each : cases) {
    PointSettings settings = Holding(each.form);
    settings.type = each.type;
    settings.limit = each.limit;
    const auto point = MakePoint(settings);
    ASSERT_THAT(point, IsOk());
    EXPECT_EQ(NameOf(point->type), NameOf(each.wire));
    EXPECT_EQ(point->count, each.count) << NameOf(each.wire);
  }
}

// The example of KubeEdge's documentation, in which half of it means nothing.
TEST(PointTest, TakesTheExampleOfKubeEdge) {
  PointSettings settings = In("CoilRegister", TextForm::kInt);
  settings.offset = 2;
  settings.limit = 1;
  settings.scale = 1;
  settings.is_swap = true;
  settings.is_register_swap = true;
  const auto point = MakePoint(settings);
  ASSERT_THAT(point, IsOk());
  EXPECT_EQ(point->type, WireType::kBits);
  EXPECT_EQ(PlaceOf(*point), "CoilRegister 2");
}

TEST(PointTest, OrdersOfBytes) {
  const std::tuple<const char*, bool, bool> orders[] = {
      {"ABCD", false, false}, {"BADC", true, false}, {"CDAB", false, true}, {"DCBA", true, true}};
  for (const auto& [order, swap_bytes, swap_registers] : orders) {
    PointSettings named = Holding(TextForm::kInt);
    named.byte_order = order;
    PointSettings flagged = Holding(TextForm::kInt);
    flagged.is_swap = swap_bytes;
    flagged.is_register_swap = swap_registers;
    const auto by_name = MakePoint(named);
    ASSERT_THAT(by_name, IsOk());
    EXPECT_EQ(by_name->swap_bytes, swap_bytes) << order;
    EXPECT_EQ(by_name->swap_registers, swap_registers) << order;
    EXPECT_EQ(*by_name, *MakePoint(flagged)) << order;
  }
}

TEST(PointTest, NamesWhatCannotBe) {
  struct Case {
    const char* field;
    const char* value;
    const char* fix;
    PointSettings settings;
  };
  const auto with = [](PointSettings settings, auto change) {
    change(settings);
    return settings;
  };
  const PointSettings whole = Holding(TextForm::kInt);
  const PointSettings text = Holding(TextForm::kString);
  const PointSettings coil = In("CoilRegister", TextForm::kBoolean);
  const Case cases[] = {
      {"register", "''", "CoilRegister", {.property = "p"}},
      {"register", "Holding", "HoldingRegister", In("Holding", TextForm::kInt)},
      {"register", "CoilRegister", "bits hold no text", In("CoilRegister", TextForm::kString)},
      {"type", "int8", "int16", with(whole, [](auto& s) { s.type = "int8"; })},
      {"type", "string", "a number", with(whole, [](auto& s) { s.type = "string"; })},
      {"type", "int16", "give string", with(text, [](auto& s) { s.type = "int16"; })},
      {"type", "string", "bytes",
       with(Holding(TextForm::kBytes), [](auto& s) { s.type = "string"; })},
      {"type", "uint32", "uint16",
       with(Holding(TextForm::kBoolean), [](auto& s) { s.type = "uint32"; })},
      {"type", "uint16", "bits", with(coil, [](auto& s) { s.type = "uint16"; })},
      {"type", "''", "float32", Holding(TextForm::kFloat)},
      {"limit", "3", "1, 2 or 4", with(whole, [](auto& s) { s.limit = 3; })},
      {"limit", "-1", "1, 2 or 4", with(whole, [](auto& s) { s.limit = -1; })},
      {"limit", "1", "give 2: the registers of int32",
       with(whole,
            [](auto& s) {
              s.type = "int32";
              s.limit = 1;
            })},
      {"limit", "''", "number of registers", text},
      {"limit", "124", "1 to 123", with(text, [](auto& s) { s.limit = 124; })},
      {"limit", "126", "1 to 125",
       with(In("InputRegister", TextForm::kString), [](auto& s) { s.limit = 126; })},
      {"limit", "2", "give 1", with(coil, [](auto& s) { s.limit = 2; })},
      {"limit", "33", "1 to 32",
       with(In("CoilRegister", TextForm::kInt), [](auto& s) { s.limit = 33; })},
      {"offset", "-1", "0 to 65535", with(whole, [](auto& s) { s.offset = -1; })},
      {"offset", "65535", "0 to 65534",
       with(whole,
            [](auto& s) {
              s.offset = 65535;
              s.limit = 2;
            })},
      {"byteOrder", "abcd", "ABCD, CDAB, BADC or DCBA",
       with(whole, [](auto& s) { s.byte_order = "abcd"; })},
      {"byteOrder", "CDAB", "isSwap",
       with(whole,
            [](auto& s) {
              s.byte_order = "CDAB";
              s.is_register_swap = true;
            })},
      {"scale", "0", "1e-12", with(whole, [](auto& s) { s.scale = 0; })},
      {"scale", "1e+13", "1e-12", with(whole, [](auto& s) { s.scale = 1e13; })},
      {"bit", "16", "0 to 15", with(Holding(TextForm::kBoolean), [](auto& s) { s.bit = 16; })},
      {"bit", "1", "BOOLEAN", with(whole, [](auto& s) { s.bit = 1; })},
      {"bit", "1", "leave it out", with(coil, [](auto& s) { s.bit = 1; })},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.fix);
    EXPECT_THAT(
        MakePoint(each.settings),
        StatusIsWith(absl::StatusCode::kInvalidArgument,
                     AllOf(HasSubstr(std::string(".visitors.configData.") + each.field + "'"),
                           HasSubstr(each.value), HasSubstr(each.fix))));
  }
}

TEST(PointTest, TheLastAddress) {
  PointSettings settings = Holding(TextForm::kInt);
  settings.offset = 65534;
  settings.limit = 2;
  const auto point = MakePoint(settings);
  ASSERT_THAT(point, IsOk());
  EXPECT_EQ(PlaceOf(*point), "HoldingRegister 65534 to 65535");
}

TEST(PointTest, OnlyCoilsAndHoldingRegistersAreWritten) {
  EXPECT_THAT(CheckWritable(*MakePoint(In("CoilRegister", TextForm::kBoolean))), IsOk());
  EXPECT_THAT(CheckWritable(*MakePoint(Holding(TextForm::kInt))), IsOk());
  for (const char* table : {"DiscreteInputRegister", "InputRegister"}) {
    const absl::Status status = CheckWritable(*MakePoint(In(table, TextForm::kInt)));
    EXPECT_THAT(status, StatusIsWith(absl::StatusCode::kFailedPrecondition,
                                     AllOf(HasSubstr("property p"), HasSubstr(table))));
    EXPECT_THAT(status, HasReason("READ_ONLY"));
  }
  PointSettings bit = Holding(TextForm::kBoolean);
  bit.bit = 3;
  EXPECT_THAT(CheckWritable(*MakePoint(bit)), HasReason("READ_ONLY"));
}

}  // namespace
}  // namespace skerry::mapper::modbus
