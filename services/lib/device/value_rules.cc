#include "services/lib/device/value_rules.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::device {
namespace {

constexpr std::pair<absl::string_view, ValueType> kTypes[] = {
    {"INT", ValueType::kInt},         {"FLOAT", ValueType::kFloat},
    {"DOUBLE", ValueType::kDouble},   {"STRING", ValueType::kString},
    {"BOOLEAN", ValueType::kBoolean}, {"BYTES", ValueType::kBytes},
    {"STREAM", ValueType::kStream},
};
constexpr size_t kShownMax = 64;

bool IsNumber(ValueType type) {
  return type == ValueType::kInt || type == ValueType::kFloat || type == ValueType::kDouble;
}

// absl takes white space, hexadecimal and "infinity", too.
bool IsPlainDecimal(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)) &&
        absl::string_view("+-.eE").find(c) == absl::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

bool ParseInt(absl::string_view text, int64_t& number) {
  return IsPlainDecimal(text) && absl::SimpleAtoi(text, &number);
}

bool ParseReal(ValueType type, absl::string_view text, double& number) {
  return IsPlainDecimal(text) && absl::SimpleAtod(text, &number) && std::isfinite(number) &&
         (type == ValueType::kDouble || std::abs(number) <= std::numeric_limits<float>::max());
}

bool ParsesAs(ValueType type, absl::string_view text) {
  int64_t whole = 0;
  double real = 0;
  switch (type) {
    case ValueType::kInt:
      return ParseInt(text, whole);
    case ValueType::kFloat:
    case ValueType::kDouble:
      return ParseReal(type, text, real);
    case ValueType::kBoolean:
      return text == "true" || text == "false";
    default:
      return true;
  }
}

// Both parse as `type`. Integers are not compared as doubles, which hold 53 bits.
bool Less(ValueType type, absl::string_view a, absl::string_view b) {
  if (type == ValueType::kInt) {
    int64_t left = 0;
    int64_t right = 0;
    return ParseInt(a, left) && ParseInt(b, right) && left < right;
  }
  double left = 0;
  double right = 0;
  return ParseReal(type, a, left) && ParseReal(type, b, right) && left < right;
}

absl::string_view Allowed(ValueType type) {
  switch (type) {
    case ValueType::kInt:
      return "a whole decimal number of 64 bits";
    case ValueType::kFloat:
      return "a finite decimal number in the range of 32 bits";
    case ValueType::kDouble:
      return "a finite decimal number";
    default:
      return "true or false";
  }
}

Error BadValue(const PropertyModel& property, absl::string_view value, absl::string_view reason,
               absl::string_view fix) {
  return InvalidField(property.name, ShownValue(value), fix)
      .Reason(reason)
      .Meta("property", property.name);
}

}  // namespace

std::string ShownValue(absl::string_view value) {
  if (value.size() <= kShownMax) return std::string(value);
  size_t size = kShownMax;
  // A cut character would not be UTF-8, and no message on the wire could hold it.
  while (size > 0 && (static_cast<unsigned char>(value[size]) & 0xC0) == 0x80) --size;
  return absl::StrCat(value.substr(0, size), "…");
}

absl::StatusOr<ValueType> ParseValueType(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "integer")) return ValueType::kInt;
  for (const auto& [name, type] : kTypes) {
    if (absl::EqualsIgnoreCase(text, name)) return type;
  }
  return InvalidField("type", ShownValue(text),
                      "give INT, FLOAT, DOUBLE, STRING, BOOLEAN, BYTES or STREAM");
}

absl::string_view NameOf(ValueType type) {
  for (const auto& [name, each] : kTypes) {
    if (each == type) return name;
  }
  return "";
}

absl::Status CheckModel(const PropertyModel& property) {
  const auto field = [&](absl::string_view name) {
    return absl::StrCat("properties[", property.name, "].", name);
  };
  for (const auto& [name, bound] :
       {std::pair<absl::string_view, const std::string&>("minimum", property.minimum),
        {"maximum", property.maximum}}) {
    if (bound.empty() || !IsNumber(property.type)) continue;
    if (!ParsesAs(property.type, bound)) {
      return InvalidField(field(name), ShownValue(bound),
                          absl::StrCat("give ", Allowed(property.type)));
    }
  }
  if (IsNumber(property.type) && !property.minimum.empty() && !property.maximum.empty() &&
      Less(property.type, property.maximum, property.minimum)) {
    return InvalidField(field("maximum"), property.maximum,
                        absl::StrCat("give at least the minimum, ", property.minimum));
  }
  return absl::OkStatus();
}

absl::Status CheckValue(const PropertyModel& property, absl::string_view value) {
  if (value.size() > kValueBytesMax) {
    return BadValue(
        property, value, "VALUE_TOO_LARGE",
        absl::StrCat("give at most ", kValueBytesMax, " bytes, these are ", value.size()));
  }
  if (!ParsesAs(property.type, value)) {
    return BadValue(property, value, "VALUE_TYPE", absl::StrCat("give ", Allowed(property.type)));
  }
  if (!IsNumber(property.type)) return absl::OkStatus();
  if (!property.minimum.empty() && Less(property.type, value, property.minimum)) {
    return BadValue(property, value, "VALUE_RANGE",
                    absl::StrCat("give at least ", property.minimum));
  }
  if (!property.maximum.empty() && Less(property.type, property.maximum, value)) {
    return BadValue(property, value, "VALUE_RANGE",
                    absl::StrCat("give at most ", property.maximum));
  }
  return absl::OkStatus();
}

absl::Status CheckDesired(const PropertyModel& property, absl::string_view value) {
  if (!property.writable) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("property ", property.name,
                              " is ReadOnly: its device model takes "
                              "no desired value"))
        .Reason("READ_ONLY")
        .Meta("property", property.name);
  }
  return CheckValue(property, value);
}

}  // namespace skerry::device
