#include "services/eventbus-svc/core/utf8.h"

namespace skerry::eventbus {

size_t DecodeUtf8(absl::string_view text, char32_t& code_point) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) {
    code_point = first;
    return 1;
  }
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC0 || first > 0xF4 || text.size() < bytes) return 0;
  char32_t value = first & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0u) != 0x80u) return 0;
    value = (value << 6) | (next & 0x3Fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // By bytes; less is overlong.
  if (value < kLeast[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
  code_point = value;
  return bytes;
}

bool IsUtf8(absl::string_view text) {
  char32_t ignored = 0;
  while (!text.empty()) {
    const size_t bytes = DecodeUtf8(text, ignored);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace skerry::eventbus
