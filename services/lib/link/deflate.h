// Compression of single frames (docs/spec/link.md section 13). No state outlives a call.
#ifndef SKERRY_SERVICES_LIB_LINK_DEFLATE_H_
#define SKERRY_SERVICES_LIB_LINK_DEFLATE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::link {

// In the format of zlib (RFC 1950); nullopt where the result has more than `bytes_max`.
std::optional<std::string> Deflate(absl::string_view bytes, size_t bytes_max);
// From a peer: exactly `size` bytes, at most kCompressRatioMax times as many as it sent; else a
// violation. Memory and work are bounded by that, whatever is in `bytes`.
absl::StatusOr<std::string> Inflate(absl::string_view bytes, size_t size);

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_DEFLATE_H_
