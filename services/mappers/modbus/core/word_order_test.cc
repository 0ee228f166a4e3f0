#include "services/mappers/modbus/core/word_order.h"

#include <gtest/gtest.h>

namespace skerry::mapper::modbus {
namespace {

struct Order {
  bool swap_bytes;
  bool swap_registers;
  const char* two;   // "ABCD" in two registers, as bytes on the wire.
  const char* four;  // "ABCDEFGH".
};

constexpr Order kOrders[] = {
    {false, false, "ABCD", "ABCDEFGH"},
    {true, false, "BADC", "BADCFEHG"},
    {false, true, "CDAB", "GHEFCDAB"},
    {true, true, "DCBA", "HGFEDCBA"},
};

std::vector<uint16_t> Wire(absl::string_view bytes) { return ToWords(bytes, false, false); }

TEST(WordOrderTest, EachOrderBothWays) {
  for (const Order& order : kOrders) {
    SCOPED_TRACE(order.two);
    EXPECT_EQ(ToBytes(Wire(order.two), order.swap_bytes, order.swap_registers), "ABCD");
    EXPECT_EQ(ToBytes(Wire(order.four), order.swap_bytes, order.swap_registers), "ABCDEFGH");
    EXPECT_EQ(ToWords("ABCD", order.swap_bytes, order.swap_registers), Wire(order.two));
    EXPECT_EQ(ToWords("ABCDEFGH", order.swap_bytes, order.swap_registers), Wire(order.four));
  }
}

TEST(WordOrderTest, TheFirstByteIsTheHighOneOfTheFirstRegister) {
  EXPECT_EQ(Wire("AB"), std::vector<uint16_t>{0x4142});
  EXPECT_EQ(ToBytes(std::vector<uint16_t>{0x00FF}, false, false), std::string("\x00\xFF", 2));
}

TEST(WordOrderTest, Numbers) {
  EXPECT_EQ(ToNumber(std::string("\x01\x02\xFF\x00", 4)), 0x0102FF00u);
  EXPECT_EQ(ToNumber(std::string(8, '\xFF')), ~uint64_t{0});
  EXPECT_EQ(ToBytes(uint64_t{0x0102FF00}, 4), std::string("\x01\x02\xFF\x00", 4));
  EXPECT_EQ(ToBytes(~uint64_t{0}, 2), "\xFF\xFF");
}

}  // namespace
}  // namespace skerry::mapper::modbus
