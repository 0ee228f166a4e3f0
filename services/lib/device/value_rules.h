// What a DeviceModel says of a property, and whether a value is one that it allows.
#ifndef SKERRY_SERVICES_LIB_DEVICE_VALUE_RULES_H_
#define SKERRY_SERVICES_LIB_DEVICE_VALUE_RULES_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::device {

// As `spec.properties[].type` of a DeviceModel spells them (devices.kubeedge.io/v1beta1).
enum class ValueType { kInt, kFloat, kDouble, kString, kBoolean, kBytes, kStream };

struct PropertyModel {
  std::string name;
  ValueType type = ValueType::kString;
  bool writable = false;  // accessMode ReadWrite.
  std::string minimum;    // Of numbers; empty: none.
  std::string maximum;
  std::string unit;
};

// Of every value, whatever its type.
constexpr size_t kValueBytesMax = 32u << 10;

// "INT", "FLOAT", … in any case, and "integer", "float", "boolean", "string" as MQTT clients of
// KubeEdge write them. INVALID_ARGUMENT names the text and what there is.
absl::StatusOr<ValueType> ParseValueType(absl::string_view text);
absl::string_view NameOf(ValueType type);

// Of the model itself: bounds are numbers of its type and in order. INVALID_ARGUMENT names the
// field.
absl::Status CheckModel(const PropertyModel& property);

// INT: a signed 64-bit decimal. FLOAT, DOUBLE: a finite decimal number (FLOAT in the range of 32
// bits). BOOLEAN: true or false. The others: any bytes. Numbers lie within the model's bounds.
// INVALID_ARGUMENT / VALUE_TYPE, VALUE_RANGE or VALUE_TOO_LARGE names the property, the value and
// what is allowed. `property` has passed CheckModel.
absl::Status CheckValue(const PropertyModel& property, absl::string_view value);

// As CheckValue, of a desired value; FAILED_PRECONDITION / READ_ONLY where the model allows none.
absl::Status CheckDesired(const PropertyModel& property, absl::string_view value);

// A value as errors show it: its first 64 bytes, of UTF-8 whole characters.
std::string ShownValue(absl::string_view value);

}  // namespace skerry::device

#endif  // SKERRY_SERVICES_LIB_DEVICE_VALUE_RULES_H_
