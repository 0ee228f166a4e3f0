#include "services/lib/model/event_name.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace skerry {
namespace {

constexpr size_t kObjectNameMax = 200;  // A name has at most 253 bytes.

// FNV-1a: the same in every process.
uint64_t Fingerprint(absl::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

std::string Prefix(absl::string_view object_name) {
  absl::string_view name = object_name.substr(0, kObjectNameMax);
  // A part of a name ends with a letter or a digit.
  while (!name.empty() && (name.back() == '.' || name.back() == '-')) name.remove_suffix(1);
  return absl::StrCat(name, ".");
}

}  // namespace

std::string EventName(absl::string_view object_name, absl::string_view identity) {
  return absl::StrCat(Prefix(object_name), absl::StrFormat("%016x", Fingerprint(identity)));
}

std::string EventName(absl::string_view object_name, absl::Time first, absl::string_view identity) {
  return absl::StrCat(Prefix(object_name),
                      absl::StrFormat("%016x", static_cast<uint64_t>(absl::ToUnixNanos(first))),
                      absl::StrFormat("%08x", Fingerprint(identity) & 0xffffffffu));
}

}  // namespace skerry
