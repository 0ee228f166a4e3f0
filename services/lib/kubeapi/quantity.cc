#include "services/lib/kubeapi/quantity.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace skerry::kubeapi {
namespace {

constexpr absl::string_view kDecimal[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
constexpr absl::string_view kBinary[] = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// A decimal number scaled by 10^9, exactly; false if it has more digits than fit.
bool ParseNano(absl::string_view number, __int128& nano) {
  nano = 0;
  int fraction = -1;
  int digits = 0;
  for (const char c : number) {
    if (c == '.') {
      fraction = 0;
      continue;
    }
    if (fraction == 9) {
      if (c != '0') return false;
      continue;
    }
    nano = nano * 10 + (c - '0');
    if (nano > 0 && ++digits > 28) return false;
    if (fraction >= 0) ++fraction;
  }
  for (int i = fraction < 0 ? 0 : fraction; i < 9; ++i) nano *= 10;
  return true;
}

}  // namespace

std::optional<std::string> CanonicalQuantity(absl::string_view text) {
  absl::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  size_t end = 0;
  int dots = 0;
  int digits = 0;
  while (end < rest.size() && (IsDigit(rest[end]) || rest[end] == '.')) {
    if (rest[end] == '.') {
      ++dots;
    } else {
      ++digits;
    }
    ++end;
  }
  if (digits == 0 || dots > 1) return std::nullopt;
  const absl::string_view number = rest.substr(0, end);
  const absl::string_view suffix = rest.substr(end);
  const std::string as_written(text);

  if (suffix.size() > 1 && (suffix[0] == 'e' || suffix[0] == 'E') && suffix != "Ei") {
    int64_t exponent = 0;
    if (!absl::SimpleAtoi(suffix.substr(1), &exponent)) return std::nullopt;
    return as_written;
  }
  __int128 nano = 0;
  const bool exact = ParseNano(number, nano);
  for (int i = 0; i < 6; ++i) {
    if (suffix != kBinary[i]) continue;
    if (!exact || dots > 0) return as_written;
    __int128 value = nano / 1000000000;
    int power = i;
    if (value == 0) return "0";
    while (power < 5 && value % 1024 == 0) {
      value /= 1024;
      ++power;
    }
    return absl::StrCat(negative ? "-" : "", static_cast<int64_t>(value), kBinary[power]);
  }
  for (int i = 0; i < 10; ++i) {
    if (suffix != kDecimal[i]) continue;
    if (!exact) return as_written;
    // In units of the suffix' power, in nano of it; find the largest power that leaves an integer.
    int power = i - 3;  // Thousands.
    __int128 value = nano;
    power -= 3;  // value is in 10^(3·power) now.
    if (value == 0) return "0";
    while (power < 6 && value % 1000 == 0) {
      value /= 1000;
      ++power;
    }
    if (power < -3 || value > INT64_MAX) return as_written;
    return absl::StrCat(negative ? "-" : "", static_cast<int64_t>(value), kDecimal[power + 3]);
  }
  return std::nullopt;
}

}  // namespace skerry::kubeapi
