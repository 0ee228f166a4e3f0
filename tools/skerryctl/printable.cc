#include "tools/skerryctl/printable.h"

#include <cstddef>

namespace skerry::skerryctl {

std::string Printable(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
      out.push_back('?');
      ++i;
    } else {
      out.push_back(byte < 0x20 || byte == 0x7f ? '?' : text[i]);
    }
  }
  return out;
}

}  // namespace skerry::skerryctl
