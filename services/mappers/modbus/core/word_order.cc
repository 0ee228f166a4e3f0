#include "services/mappers/modbus/core/word_order.h"

#include <algorithm>
#include <utility>

namespace skerry::mapper::modbus {

std::string ToBytes(std::span<const uint16_t> words, bool swap_bytes, bool swap_registers) {
  std::string bytes;
  bytes.reserve(words.size() * 2);
  for (size_t i = 0; i < words.size(); ++i) {
    const uint16_t word = swap_registers ? words[words.size() - 1 - i] : words[i];
    auto first = static_cast<char>(word >> 8);
    auto second = static_cast<char>(word & 0xFF);
    if (swap_bytes) std::swap(first, second);
    bytes.push_back(first);
    bytes.push_back(second);
  }
  return bytes;
}

std::vector<uint16_t> ToWords(absl::string_view bytes, bool swap_bytes, bool swap_registers) {
  std::vector<uint16_t> words;
  words.reserve(bytes.size() / 2);
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    auto high = static_cast<uint8_t>(bytes[i]);
    auto low = static_cast<uint8_t>(bytes[i + 1]);
    if (swap_bytes) std::swap(high, low);
    words.push_back(static_cast<uint16_t>(high << 8 | low));
  }
  if (swap_registers) std::reverse(words.begin(), words.end());
  return words;
}

uint64_t ToNumber(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

std::string ToBytes(uint64_t number, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = size; i > 0; --i) {
    bytes[i - 1] = static_cast<char>(number & 0xFF);
    number >>= 8;
  }
  return bytes;
}

}  // namespace skerry::mapper::modbus
