#include "services/edged-svc/core/spec_hash.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

std::string SpecHash(const ContainerSpec& container) {
  // 64-bit FNV-1a; a length before each field keeps them apart.
  uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](absl::string_view bytes) {
    for (const char c : bytes) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 0x100000001b3u;
    }
  };
  for (const std::string* field : {&container.name, &container.image}) {
    add(absl::StrCat(field->size(), ":"));
    add(*field);
  }
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16));
}

}  // namespace skerry::edged
