#include "services/mappers/modbus/core/point.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::mapper::modbus {
namespace {

constexpr std::pair<absl::string_view, Table> kTables[] = {
    {"CoilRegister", Table::kCoil},
    {"DiscreteInputRegister", Table::kDiscreteInput},
    {"HoldingRegister", Table::kHolding},
    {"InputRegister", Table::kInput},
};
constexpr std::pair<absl::string_view, WireType> kTypes[] = {
    {"int16", WireType::kInt16},     {"uint16", WireType::kUint16},   {"int32", WireType::kInt32},
    {"uint32", WireType::kUint32},   {"int64", WireType::kInt64},     {"uint64", WireType::kUint64},
    {"float32", WireType::kFloat32}, {"float64", WireType::kFloat64}, {"string", WireType::kString},
    {"bytes", WireType::kBytes},
};
constexpr char kTypesFix[] = "give int16, uint16, int32, uint32, int64, uint64, float32 or float64";
constexpr int64_t kOffsetMax = 65535;
constexpr double kScaleMax = 1e12;

// Registers of a number; 0 of what has any number of them.
int WidthOf(WireType type) {
  switch (type) {
    case WireType::kInt16:
    case WireType::kUint16:
      return 1;
    case WireType::kInt32:
    case WireType::kUint32:
    case WireType::kFloat32:
      return 2;
    case WireType::kInt64:
    case WireType::kUint64:
    case WireType::kFloat64:
      return 4;
    default:
      return 0;
  }
}

bool IsBits(Table table) { return table == Table::kCoil || table == Table::kDiscreteInput; }

bool IsNumber(TextForm form) {
  return form == TextForm::kInt || form == TextForm::kFloat || form == TextForm::kDouble;
}

// One making of a Point; each step says what is wrong with its settings.
class Maker {
 public:
  explicit Maker(const PointSettings& settings) : settings_(settings) {
    point_.property = settings.property;
    point_.form = settings.form;
  }

  absl::StatusOr<Point> Make() {
    SKERRY_RETURN_IF_ERROR(TakeTable());
    SKERRY_RETURN_IF_ERROR(IsBits(point_.table) ? TakeBits() : TakeRegisters());
    SKERRY_RETURN_IF_ERROR(TakeOffset());
    SKERRY_RETURN_IF_ERROR(TakeOrder());
    SKERRY_RETURN_IF_ERROR(TakeScale());
    SKERRY_RETURN_IF_ERROR(TakeBit());
    return point_;
  }

 private:
  Error Bad(absl::string_view name, absl::string_view value, absl::string_view fix) const {
    return InvalidField(
        absl::StrCat("properties[", settings_.property, "].visitors.configData.", name), value,
        fix);
  }

  absl::Status TakeTable() {
    const std::string given = settings_.table.value_or("");
    for (const auto& [name, table] : kTables) {
      if (name != given) continue;
      point_.table = table;
      return absl::OkStatus();
    }
    return Bad("register", given,
               "give CoilRegister, DiscreteInputRegister, HoldingRegister or InputRegister");
  }

  absl::Status TakeBits() {
    point_.type = WireType::kBits;
    if (settings_.form == TextForm::kString || settings_.form == TextForm::kBytes) {
      return Bad("register", *settings_.table,
                 "give HoldingRegister or InputRegister: bits hold no text");
    }
    if (settings_.type.has_value()) {
      return Bad("type", *settings_.type, "leave it out: these are bits");
    }
    const int64_t most = settings_.form == TextForm::kBoolean ? 1 : kBitsMax;
    return TakeLimit(1, 1, most);
  }

  absl::Status TakeRegisters() {
    SKERRY_RETURN_IF_ERROR(TakeType());
    if (const int width = WidthOf(point_.type); width != 0) return TakeLimit(width, width, width);
    if (!Limit().has_value()) return Bad("limit", "", "give the number of registers");
    const bool written = point_.table == Table::kHolding;
    return TakeLimit(0, 1, written ? kWriteRegistersMax : kReadRegistersMax);
  }

  // KubeEdge's mapper has no `type`, and takes the width from `limit`.
  absl::Status TakeType() {
    if (settings_.type.has_value()) return TakeGivenType();
    switch (settings_.form) {
      case TextForm::kString:
        point_.type = WireType::kString;
        return absl::OkStatus();
      case TextForm::kBytes:
        point_.type = WireType::kBytes;
        return absl::OkStatus();
      case TextForm::kBoolean:
        point_.type = WireType::kUint16;
        return absl::OkStatus();
      default:
        return TakeTypeOfLimit();
    }
  }

  absl::Status TakeGivenType() {
    for (const auto& [name, type] : kTypes) {
      if (!absl::EqualsIgnoreCase(name, *settings_.type)) continue;
      point_.type = type;
      return CheckTypeSuits();
    }
    return Bad("type", *settings_.type, absl::StrCat(kTypesFix, "; string or bytes for text"));
  }

  absl::Status CheckTypeSuits() const {
    const bool number = WidthOf(point_.type) != 0;
    switch (settings_.form) {
      case TextForm::kString:
        if (point_.type == WireType::kString) return absl::OkStatus();
        return Bad("type", *settings_.type, "give string: the device model says STRING");
      case TextForm::kBytes:
        if (point_.type == WireType::kBytes) return absl::OkStatus();
        return Bad("type", *settings_.type, "give bytes: the device model says BYTES");
      case TextForm::kBoolean:
        if (number && WidthOf(point_.type) == 1) return absl::OkStatus();
        return Bad("type", *settings_.type, "give uint16: the device model says BOOLEAN");
      default:
        if (number) return absl::OkStatus();
        return Bad("type", *settings_.type,
                   absl::StrCat(kTypesFix, ": the device model says a number"));
    }
  }

  absl::Status TakeTypeOfLimit() {
    const int64_t limit = Limit().value_or(0);
    const bool whole = settings_.form == TextForm::kInt;
    if (limit == 1 || (limit == 0 && whole)) {
      point_.type = WireType::kUint16;
    } else if (limit == 2) {
      point_.type = whole ? WireType::kUint32 : WireType::kFloat32;
    } else if (limit == 4) {
      point_.type = whole ? WireType::kUint64 : WireType::kFloat64;
    } else if (limit == 0) {
      return Bad("type", "", kTypesFix);
    } else {
      return Bad("limit", absl::StrCat(limit), "give 1, 2 or 4");
    }
    return absl::OkStatus();
  }

  // 0 is what Go writes for nothing.
  std::optional<int64_t> Limit() const {
    return settings_.limit == 0 ? std::nullopt : settings_.limit;
  }

  absl::Status TakeLimit(int64_t otherwise, int64_t min, int64_t max) {
    const int64_t limit = Limit().value_or(otherwise);
    if (limit >= min && limit <= max) {
      point_.count = static_cast<uint16_t>(limit);
      return absl::OkStatus();
    }
    const std::string wanted =
        min == max ? absl::StrCat("give ", min) : absl::StrCat("give ", min, " to ", max);
    return Bad("limit", absl::StrCat(limit),
               WidthOf(point_.type) == 0
                   ? wanted
                   : absl::StrCat(wanted, ": the registers of ", NameOf(point_.type)));
  }

  absl::Status TakeOffset() {
    const int64_t offset = settings_.offset.value_or(0);
    const int64_t most = kOffsetMax + 1 - point_.count;
    if (offset < 0 || offset > most) {
      return Bad("offset", absl::StrCat(offset),
                 absl::StrCat("give 0 to ", most, ", the address on the wire"));
    }
    point_.offset = static_cast<uint16_t>(offset);
    return absl::OkStatus();
  }

  absl::Status TakeOrder() {
    point_.swap_bytes = settings_.is_swap.value_or(false);
    point_.swap_registers = settings_.is_register_swap.value_or(false);
    if (!settings_.byte_order.has_value()) return absl::OkStatus();
    const std::string& order = *settings_.byte_order;
    if (settings_.is_swap.has_value() || settings_.is_register_swap.has_value()) {
      return Bad("byteOrder", order,
                 "leave it out, or isSwap and isRegisterSwap: they say the same");
    }
    point_.swap_bytes = order == "BADC" || order == "DCBA";
    point_.swap_registers = order == "CDAB" || order == "DCBA";
    if (order == "ABCD" || point_.swap_bytes || point_.swap_registers) return absl::OkStatus();
    return Bad("byteOrder", order, "give ABCD, CDAB, BADC or DCBA");
  }

  absl::Status TakeScale() {
    const double scale = settings_.scale.value_or(1);
    if (scale == 1) return absl::OkStatus();
    if (!std::isfinite(scale) || std::abs(scale) > kScaleMax || std::abs(scale) < 1 / kScaleMax) {
      return Bad("scale", absl::StrCat(scale), "give a number from 1e-12 to 1e12, or minus that");
    }
    // As manifests of KubeEdge have it, where it means nothing.
    const bool means = IsNumber(settings_.form) && point_.type != WireType::kBits;
    if (means) point_.scale = scale;
    return absl::OkStatus();
  }

  absl::Status TakeBit() {
    if (!settings_.bit.has_value()) return absl::OkStatus();
    const std::string given = absl::StrCat(*settings_.bit);
    if (IsBits(point_.table) || settings_.form != TextForm::kBoolean) {
      return Bad("bit", given, "leave it out, or make it a BOOLEAN in a register");
    }
    if (*settings_.bit < 0 || *settings_.bit > 15) return Bad("bit", given, "give 0 to 15");
    point_.bit = static_cast<int>(*settings_.bit);
    return absl::OkStatus();
  }

  const PointSettings& settings_;
  Point point_;
};

}  // namespace

absl::StatusOr<Point> MakePoint(const PointSettings& settings) { return Maker(settings).Make(); }

absl::Status CheckWritable(const Point& point) {
  const bool table = point.table == Table::kCoil || point.table == Table::kHolding;
  if (table && !point.bit.has_value()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("property ", point.property, " is in ", PlaceOf(point),
                            table ? ": one bit of a register can only be read"
                                  : ": Modbus can only read that; use CoilRegister or "
                                    "HoldingRegister, or make the property ReadOnly"))
      .Reason("READ_ONLY")
      .Meta("property", point.property);
}

absl::string_view NameOf(Table table) {
  for (const auto& [name, each] : kTables) {
    if (each == table) return name;
  }
  return "";
}

absl::string_view NameOf(WireType type) {
  for (const auto& [name, each] : kTypes) {
    if (each == type) return name;
  }
  return "bits";
}

std::string PlaceOf(const Point& point) {
  const std::string first = absl::StrCat(NameOf(point.table), " ", point.offset);
  if (point.count == 1) return first;
  return absl::StrCat(first, " to ", point.offset + point.count - 1);
}

}  // namespace skerry::mapper::modbus
