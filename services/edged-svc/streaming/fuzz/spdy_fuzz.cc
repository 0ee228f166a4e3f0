// Any bytes as the frames of a SPDY connection.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/spdy_frames.h"

namespace {

namespace spdy = skerry::edged::spdy;

// The frames as a writer writes them; data in one piece or many is the same.
std::string Read(absl::string_view bytes, size_t step, bool& ok) {
  spdy::FrameReader reader;
  spdy::FrameWriter writer;
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += step) {
    reader.Put(bytes.substr(at, step));
    while (true) {
      absl::StatusOr<std::optional<spdy::Frame>> frame = reader.Next();
      if (!frame.ok()) {
        ok = false;
        return text;
      }
      if (!frame->has_value()) break;
      if (const auto* data = std::get_if<spdy::Data>(&**frame)) {
        text += data->bytes + (data->fin ? "|" : "");
      } else {
        text += writer.Write(**frame);
      }
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size > 4096) return 0;
  bool whole = true, parts = true;
  if (Read(bytes, size + 1, whole) != Read(bytes, 3, parts) || whole != parts) std::abort();
  return 0;
}
