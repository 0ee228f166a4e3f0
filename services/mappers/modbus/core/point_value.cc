#include "services/mappers/modbus/core/point_value.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/lib/base/error.h"
#include "services/mappers/modbus/core/word_order.h"

namespace skerry::mapper::modbus {
namespace {

constexpr size_t kShownMax = 64;

Error OutOfRange(const Point& point, absl::string_view held, absl::string_view form) {
  return Error(absl::StatusCode::kOutOfRange,
               absl::StrCat("property ", point.property, ": ", PlaceOf(point), " holds ", held,
                            ", which is no ", form, "; check type, byteOrder and scale"))
      .Reason("VALUE_RANGE")
      .Meta("property", point.property);
}

Error BadValue(const Point& point, absl::string_view value, absl::string_view fix) {
  return InvalidField(point.property, value.substr(0, kShownMax), fix)
      .Reason("VALUE_RANGE")
      .Meta("property", point.property);
}

// A tenth is no number of base 2, but ten is one: 3 / 10 is 0.3, 3 * 0.1 is not.
double Scaled(double raw, double scale) {
  const double inverse = 1 / scale;
  const double whole = std::round(inverse);
  if (std::abs(scale) < 1 && std::abs(inverse - whole) <= 1e-9 * std::abs(inverse)) {
    return raw / whole;
  }
  return raw * scale;
}

double Unscaled(double value, double scale) {
  const double inverse = 1 / scale;
  const double whole = std::round(inverse);
  if (std::abs(scale) < 1 && std::abs(inverse - whole) <= 1e-9 * std::abs(inverse)) {
    return value * whole;
  }
  return value / scale;
}

// What is not could go in no message.
bool IsUtf8(const std::string& text) {
  try {
    return !nlohmann::json(text).dump().empty();
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

// Rounds to a finite float: a little more than the largest one does.
bool FitsFloat(double value) { return std::abs(value) < 0x1.ffffffp127; }

template <typename Number>
std::string Shortest(Number number) {
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, number);
  return std::string(text, end.ptr);
}

// Reads as a number in the range of a float: rounded to 8 digits, the largest one does not.
std::string FloatText(float number) {
  if (std::abs(number) == std::numeric_limits<float>::max()) {
    return Shortest(static_cast<double>(number));
  }
  return Shortest(number);
}

bool IsSigned(WireType type) {
  return type == WireType::kInt16 || type == WireType::kInt32 || type == WireType::kInt64;
}

bool IsReal(WireType type) { return type == WireType::kFloat32 || type == WireType::kFloat64; }

int64_t SignExtended(uint64_t bits, size_t bytes) {
  const size_t unused = 64 - 8 * bytes;
  return static_cast<int64_t>(bits << unused) >> unused;
}

double RealOf(WireType type, uint64_t bits) {
  if (type == WireType::kFloat32) return std::bit_cast<float>(static_cast<uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

absl::StatusOr<std::string> RealText(const Point& point, double value) {
  if (!std::isfinite(value)) return OutOfRange(point, absl::StrCat(value), "number");
  if (point.form == TextForm::kDouble) {
    return point.scale == 1 ? Shortest(value) : absl::StrFormat("%.15g", value);
  }
  if (point.form == TextForm::kFloat) {
    if (!FitsFloat(value)) {
      return OutOfRange(point, absl::StrCat(value), "FLOAT");
    }
    return FloatText(static_cast<float>(value));
  }
  const double whole = std::round(value);
  if (whole < -0x1p63 || whole >= 0x1p63) return OutOfRange(point, absl::StrCat(value), "INT");
  return absl::StrCat(static_cast<int64_t>(whole));
}

absl::StatusOr<std::string> DecodeNumber(const Point& point, absl::string_view bytes) {
  const uint64_t bits = ToNumber(bytes);
  if (point.form == TextForm::kBoolean) return std::string(bits == 0 ? "false" : "true");
  if (IsReal(point.type)) {
    const double raw = RealOf(point.type, bits);
    // 0.1 of 32 bits is 0.1, not 0.10000000149.
    if (point.scale == 1 && point.type == WireType::kFloat32 && std::isfinite(raw) &&
        point.form != TextForm::kInt) {
      return FloatText(static_cast<float>(raw));
    }
    return RealText(point, Scaled(raw, point.scale));
  }
  if (IsSigned(point.type)) {
    const int64_t raw = SignExtended(bits, bytes.size());
    if (point.form == TextForm::kInt && point.scale == 1) return absl::StrCat(raw);
    return RealText(point, Scaled(static_cast<double>(raw), point.scale));
  }
  if (point.form == TextForm::kInt && point.scale == 1) {
    if (bits > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return OutOfRange(point, absl::StrCat(bits), "INT");
    }
    return absl::StrCat(bits);
  }
  return RealText(point, Scaled(static_cast<double>(bits), point.scale));
}

absl::StatusOr<std::string> DecodeBits(const Point& point, std::span<const uint16_t> bits) {
  if (point.form == TextForm::kBoolean) return std::string(bits[0] == 0 ? "false" : "true");
  uint64_t number = 0;
  for (size_t i = 0; i < bits.size(); ++i) number |= uint64_t{bits[i] != 0} << i;
  return absl::StrCat(number);
}

absl::StatusOr<std::string> DecodeText(const Point& point, absl::string_view bytes) {
  if (point.type == WireType::kBytes) return absl::BytesToHexString(bytes);
  const auto end = std::find(bytes.begin(), bytes.end(), '\0');
  const absl::string_view held = bytes.substr(0, static_cast<size_t>(end - bytes.begin()));
  std::string text(absl::StripTrailingAsciiWhitespace(held));
  if (IsUtf8(text)) return text;
  return InvalidField(point.property, absl::StrCat("0x", absl::BytesToHexString(text)),
                      "this is no UTF-8: check byteOrder, or make the property BYTES")
      .Reason("VALUE_TYPE")
      .Meta("property", point.property);
}

absl::StatusOr<uint64_t> RealBits(const Point& point, absl::string_view text, double value) {
  if (point.type == WireType::kFloat64) {
    if (std::isfinite(value)) return std::bit_cast<uint64_t>(value);
    return BadValue(point, text, "its scale makes more of that than a float64 holds");
  }
  if (FitsFloat(value)) {
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  }
  return BadValue(point, text, "its registers hold a float32");
}

absl::StatusOr<uint64_t> WholeBits(const Point& point, absl::string_view text, double value) {
  const int bits = 16 * point.count;
  const double rounded = std::round(value);
  const double min = IsSigned(point.type) ? -std::ldexp(1, bits - 1) : 0;
  const double end = std::ldexp(1, IsSigned(point.type) ? bits - 1 : bits);
  // NaN and infinity, too.
  if (!(rounded >= min && rounded < end)) {
    return BadValue(point, text,
                    absl::StrCat("its registers hold a ", NameOf(point.type), ": give ",
                                 Scaled(min, point.scale), " to ", Scaled(end - 1, point.scale)));
  }
  if (rounded < 0) return static_cast<uint64_t>(static_cast<int64_t>(rounded));
  return static_cast<uint64_t>(rounded);
}

absl::StatusOr<uint64_t> NumberBits(const Point& point, absl::string_view text) {
  if (point.form == TextForm::kBoolean) return uint64_t{text == "true"};
  int64_t whole = 0;
  const bool exact = point.form == TextForm::kInt && point.scale == 1 && !IsReal(point.type);
  // 64 bits are more than a double has.
  if (exact && point.count == 4 && absl::SimpleAtoi(text, &whole) &&
      (whole >= 0 || IsSigned(point.type))) {
    return static_cast<uint64_t>(whole);
  }
  double value = 0;
  if (!absl::SimpleAtod(text, &value)) return BadValue(point, text, "give a number");
  value = Unscaled(value, point.scale);
  return IsReal(point.type) ? RealBits(point, text, value) : WholeBits(point, text, value);
}

absl::StatusOr<std::vector<uint16_t>> EncodeBits(const Point& point, absl::string_view text) {
  if (point.form == TextForm::kBoolean) return std::vector<uint16_t>{uint16_t{text == "true"}};
  double number = 0;
  const bool parsed = absl::SimpleAtod(text, &number);
  if (!parsed || std::trunc(number) != number || number < 0 ||
      number >= std::ldexp(1, point.count)) {
    return BadValue(point, text,
                    absl::StrCat("give 0 to ", std::ldexp(1, point.count) - 1, ": it has ",
                                 point.count, " bits"));
  }
  std::vector<uint16_t> bits;
  for (int i = 0; i < point.count; ++i) {
    bits.push_back(static_cast<uint64_t>(number) >> i & 1);
  }
  return bits;
}

absl::StatusOr<std::string> TextBytes(const Point& point, absl::string_view text) {
  const size_t room = size_t{2} * point.count;
  std::string bytes(text);
  if (point.type == WireType::kBytes) {
    const bool digits = std::all_of(text.begin(), text.end(), [](char c) {
      return absl::ascii_isxdigit(static_cast<unsigned char>(c));
    });
    if (!digits || text.size() != 2 * room) {
      return BadValue(point, absl::StrCat(text.size(), " bytes"),
                      absl::StrCat("give ", 2 * room, " hexadecimal digits"));
    }
    bytes = absl::HexStringToBytes(text);
  }
  if (bytes.size() > room) {
    return BadValue(point, absl::StrCat(bytes.size(), " bytes"),
                    absl::StrCat("give at most ", room));
  }
  bytes.resize(room, '\0');
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> Decode(const Point& point, std::span<const uint16_t> words) {
  if (words.size() != point.count) {
    return absl::InternalError(absl::StrCat("property ", point.property, ": ", words.size(),
                                            " registers in place of ", point.count));
  }
  if (point.type == WireType::kBits) return DecodeBits(point, words);
  const std::string bytes = ToBytes(words, point.swap_bytes, point.swap_registers);
  if (point.type == WireType::kString || point.type == WireType::kBytes) {
    return DecodeText(point, bytes);
  }
  if (point.bit.has_value()) {
    return std::string((ToNumber(bytes) >> *point.bit & 1) == 0 ? "false" : "true");
  }
  return DecodeNumber(point, bytes);
}

absl::StatusOr<std::vector<uint16_t>> Encode(const Point& point, absl::string_view text) {
  if (point.type == WireType::kBits) return EncodeBits(point, text);
  absl::StatusOr<std::string> bytes = std::string();
  if (point.type == WireType::kString || point.type == WireType::kBytes) {
    bytes = TextBytes(point, text);
  } else {
    const absl::StatusOr<uint64_t> bits = NumberBits(point, text);
    bytes = bits.ok() ? absl::StatusOr<std::string>(ToBytes(*bits, size_t{2} * point.count))
                      : bits.status();
  }
  if (!bytes.ok()) return bytes.status();
  return ToWords(*bytes, point.swap_bytes, point.swap_registers);
}

}  // namespace skerry::mapper::modbus
