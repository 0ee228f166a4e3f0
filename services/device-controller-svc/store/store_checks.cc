#include "services/device-controller-svc/store/store_checks.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller::store_checks {
namespace {

// The bytes of the code point that begins `text`; 0 where that is none that UTF-8 has.
size_t CodePointBytes(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < count) return 0;
  for (size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) > 0x9f;
  const bool beyond = first == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || beyond ? 0 : count;
}

bool IsText(absl::string_view text) {
  while (!text.empty()) {
    const size_t count = text[0] == '\0' ? 0 : CodePointBytes(text);
    if (count == 0) return false;
    text.remove_prefix(count);
  }
  return true;
}

}  // namespace

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t bytes_min,
                       size_t bytes_max) {
  if (text.size() < bytes_min) return InvalidField(field, text, "give it a value");
  SKERRY_RETURN_IF_ERROR(CheckBytes(field, text, bytes_max));
  if (IsText(text)) return absl::OkStatus();
  return InvalidField(field, "(not text)", "it must be UTF-8 without NUL");
}

absl::Status CheckBytes(absl::string_view field, absl::string_view bytes, size_t bytes_max) {
  if (bytes.size() <= bytes_max) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("(", bytes.size(), " bytes)"),
                      absl::StrCat("it may have at most ", bytes_max, " bytes"));
}

absl::Status CheckCount(absl::string_view field, size_t count, size_t count_max) {
  if (count >= 1 && count <= count_max) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(count), absl::StrCat("it must be 1 to ", count_max));
}

absl::Status CheckNumber(absl::string_view field, uint64_t number) {
  if (number <= uint64_t{std::numeric_limits<int64_t>::max()}) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(number), "it must be below 2^63");
}

}  // namespace skerry::devicecontroller::store_checks
