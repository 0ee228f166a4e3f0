#include "services/edged-svc/core/quantity.h"

#include <cctype>
#include <limits>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

constexpr __int128 kMax = static_cast<__int128>(std::numeric_limits<int64_t>::max()) * kNano;

struct Scale {
  __int128 multiplier = 1;
  int divisor_digits = 0;  // Decimal places to the right.
};

// False: no such suffix.
bool ParseSuffix(absl::string_view suffix, Scale& scale) {
  struct Entry {
    const char* text;
    int binary_power;   // Of 1,024.
    int decimal_power;  // Of 10.
  };
  static constexpr Entry kSuffixes[] = {{"", 0, 0},   {"n", 0, -9}, {"u", 0, -6}, {"m", 0, -3},
                                        {"k", 0, 3},  {"M", 0, 6},  {"G", 0, 9},  {"T", 0, 12},
                                        {"P", 0, 15}, {"E", 0, 18}, {"Ki", 1, 0}, {"Mi", 2, 0},
                                        {"Gi", 3, 0}, {"Ti", 4, 0}, {"Pi", 5, 0}, {"Ei", 6, 0}};
  int decimal_power = 0;
  for (const Entry& entry : kSuffixes) {
    if (suffix != entry.text) continue;
    for (int i = 0; i < entry.binary_power; ++i) scale.multiplier *= 1024;
    decimal_power = entry.decimal_power;
    if (decimal_power < 0) scale.divisor_digits = -decimal_power;
    for (int i = 0; i < decimal_power; ++i) scale.multiplier *= 10;
    return true;
  }
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return false;
  if (!absl::SimpleAtoi(suffix.substr(1), &decimal_power) || decimal_power < -18 ||
      decimal_power > 18)
    return false;
  if (decimal_power < 0) scale.divisor_digits = -decimal_power;
  for (int i = 0; i < decimal_power; ++i) scale.multiplier *= 10;
  return true;
}

}  // namespace

absl::StatusOr<__int128> ParseQuantity(absl::string_view text) {
  const auto invalid = [&](absl::string_view why) -> absl::Status {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("\"", text.substr(0, 64), "\" is not a quantity: ", why))
        .Reason("QUANTITY_INVALID");
  };
  size_t at = 0;
  if (at < text.size() && text[at] == '+') ++at;
  __int128 digits = 0;
  int digit_count = 0, fraction_digits = 0;
  bool point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      if (++digit_count > 20) return invalid("too many digits");
      digits = digits * 10 + (c - '0');
      if (point) ++fraction_digits;
    } else {
      break;
    }
  }
  if (digit_count == 0) return invalid("a number such as 250m, 1.5 or 64Mi is expected");
  Scale scale;
  if (!ParseSuffix(text.substr(at), scale)) return invalid("unknown unit");
  // digits * multiplier * 10^9 / 10^(fraction_digits + divisor_digits), rounded up, without
  // overflow.
  int down = fraction_digits + scale.divisor_digits - 9;
  __int128 multiplier = scale.multiplier;
  while (down > 0 && multiplier % 10 == 0 && multiplier > 1) {
    multiplier /= 10;
    --down;
  }
  if (digits != 0 && multiplier > (kMax / digits)) return invalid("too large");
  __int128 value = digits * multiplier;
  for (; down < 0; ++down) {
    if (value > kMax / 10) return invalid("too large");
    value *= 10;
  }
  bool rest = false;
  for (; down > 0; --down) {
    rest = rest || value % 10 != 0;
    value /= 10;
  }
  if (rest) ++value;
  if (value > kMax) return invalid("too large");
  return value;
}

int64_t ToUnits(__int128 nano) { return static_cast<int64_t>((nano + kNano - 1) / kNano); }

int64_t ToMillis(__int128 nano) {
  constexpr __int128 kMilli = kNano / 1000;
  const __int128 millis = (nano + kMilli - 1) / kMilli;
  return millis > std::numeric_limits<int64_t>::max() ? std::numeric_limits<int64_t>::max()
                                                      : static_cast<int64_t>(millis);
}

}  // namespace skerry::edged
