#include "services/lib/kubeapi/random.h"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/check.h"

namespace skerry::kubeapi {
namespace {

template <size_t N>
std::array<uint8_t, N> RandomBytes() {
  std::array<uint8_t, N> bytes;
  // Up to 256 bytes come whole once the kernel's generator is seeded.
  SKERRY_CHECK(getrandom(bytes.data(), N, 0) == static_cast<ssize_t>(N));
  return bytes;
}

}  // namespace

std::string NewUid() {
  std::array<uint8_t, 16> bytes = RandomBytes<16>();
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

std::string NameSuffix() {
  static constexpr absl::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  for (const uint8_t byte : RandomBytes<5>()) suffix.push_back(kLetters[byte % kLetters.size()]);
  return suffix;
}

}  // namespace skerry::kubeapi
