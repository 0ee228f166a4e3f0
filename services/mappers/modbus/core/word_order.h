// The order of a value's bytes in its registers.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_CORE_WORD_ORDER_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_CORE_WORD_ORDER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::mapper::modbus {

// Most significant byte first: ABCD is neither, BADC swaps bytes, CDAB registers, DCBA both.
std::string ToBytes(std::span<const uint16_t> words, bool swap_bytes, bool swap_registers);

// The inverse; `bytes` are of an even number.
std::vector<uint16_t> ToWords(absl::string_view bytes, bool swap_bytes, bool swap_registers);

// Of up to 8 bytes.
uint64_t ToNumber(absl::string_view bytes);
std::string ToBytes(uint64_t number, size_t size);  // The lowest `size` bytes.

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_CORE_WORD_ORDER_H_
