// Where a property is in a Modbus device, and in what form.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_CORE_POINT_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_CORE_POINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::mapper::modbus {

enum class Table { kCoil, kDiscreteInput, kHolding, kInput };

// Of the value in its registers. kBits: coils or discrete inputs.
enum class WireType {
  kBits,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat32,
  kFloat64,
  kString,
  kBytes
};

// Of the property's text, as its device model says.
enum class TextForm { kInt, kFloat, kDouble, kBoolean, kString, kBytes };

// As the visitor's configData has them; what is not given is nullopt.
struct PointSettings {
  std::string property;
  TextForm form = TextForm::kString;
  std::optional<std::string> table;  // "register".
  std::optional<int64_t> offset;
  std::optional<int64_t> limit;
  std::optional<std::string> type;
  std::optional<std::string> byte_order;
  std::optional<bool> is_swap;
  std::optional<bool> is_register_swap;
  std::optional<double> scale;
  std::optional<int64_t> bit;
};

struct Point {
  std::string property;
  TextForm form = TextForm::kString;
  Table table = Table::kHolding;
  uint16_t offset = 0;
  uint16_t count = 1;  // Of registers, or of bits.
  WireType type = WireType::kUint16;
  bool swap_bytes = false;      // Of each register: the low byte comes first.
  bool swap_registers = false;  // The lowest register comes first.
  double scale = 1;             // The value is what the registers hold, times this.
  std::optional<int> bit;       // Of the register, 0 is the lowest.

  bool operator==(const Point&) const = default;
};

// At once, as Modbus has it.
constexpr int kReadRegistersMax = 125;
constexpr int kWriteRegistersMax = 123;
constexpr int kBitsMax = 32;  // Ours, of an integer.

// INVALID_ARGUMENT names the setting ("properties[speed].visitors.configData.limit"), its value and
// what it may be.
absl::StatusOr<Point> MakePoint(const PointSettings& settings);

// FAILED_PRECONDITION / READ_ONLY where Modbus cannot write there, whatever the device model says.
absl::Status CheckWritable(const Point& point);

absl::string_view NameOf(Table table);
absl::string_view NameOf(WireType type);
// As people read it: "HoldingRegister 40 to 41".
std::string PlaceOf(const Point& point);

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_CORE_POINT_H_
