// Between the text of a property's value and what stands in its registers.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_CORE_POINT_VALUE_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_CORE_POINT_VALUE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/mappers/modbus/core/point.h"

namespace skerry::mapper::modbus {

// Of both, `words` are point.count registers as they were on the wire, or bits, each 0 or not.
//
// INT: rounded to the nearest, half away from 0. FLOAT, DOUBLE: the shortest text that reads as the
// same number; DOUBLE with a scale: 15 digits. BOOLEAN: true where it is not 0. STRING: up to the
// first NUL, without white space at the end. BYTES: hexadecimal digits.
//
// OUT_OF_RANGE / VALUE_RANGE where the device holds what the property's type cannot (NaN, 2^63 and
// more, a float that is too large); INVALID_ARGUMENT / VALUE_TYPE where it holds no UTF-8. Both
// name the property.
absl::StatusOr<std::string> Decode(const Point& point, std::span<const uint16_t> words);

// `text` suits the property's device model. INVALID_ARGUMENT / VALUE_RANGE names the property, the
// value and what its registers hold.
absl::StatusOr<std::vector<uint16_t>> Encode(const Point& point, absl::string_view text);

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_CORE_POINT_VALUE_H_
