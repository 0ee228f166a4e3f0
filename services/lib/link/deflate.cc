#include "services/lib/link/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/frames.h"

namespace skerry::link {
namespace {

// The last of the quick ones; tools/bench/deflate has it beside the default.
constexpr int kLevel = 3;
// Of the window, what zlib keeps ahead of the bytes that it compresses.
constexpr size_t kLookaheadBytes = 262;

Bytef* Data(absl::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

}  // namespace

std::optional<std::string> Deflate(absl::string_view bytes, size_t bytes_max) {
  // To reach back to the frame's begin takes a window of this many bits; more would cost a small
  // frame most of its time, to be made ready.
  const int window_bits =
      std::clamp(static_cast<int>(std::bit_width(bytes.size() + kLookaheadBytes)), 9, MAX_WBITS);
  z_stream stream = {};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, window_bits, window_bits - 7, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return std::nullopt;
  }
  std::string out(bytes_max, '\0');
  stream.next_in = Data(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = Data(out);
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return std::nullopt;
  out.resize(stream.total_out);
  out.shrink_to_fit();
  return out;
}

absl::StatusOr<std::string> Inflate(absl::string_view bytes, size_t size) {
  int result = Z_BUF_ERROR;
  uLong taken = bytes.size();
  uLongf done = size;
  std::string out;
  if (size <= kCompressRatioMax * bytes.size()) {
    out.resize(size);
    result = uncompress2(Data(out), &done, Data(bytes), &taken);
  }
  if (result == Z_OK && taken == bytes.size() && done == size) return out;
  if (result == Z_MEM_ERROR) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("no memory to decompress a frame of ", size, " bytes"))
        .Reason("OUT_OF_MEMORY");
  }
  return Violation("link-13.3", absl::StrCat(bytes.size(), " compressed bytes are not the ", size,
                                             " that were announced"));
}

}  // namespace skerry::link
