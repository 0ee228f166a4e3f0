// Any bytes as the frames of a WebSocket client.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/websocket_frames.h"

namespace {

namespace websocket = skerry::edged::websocket;

std::string Read(absl::string_view bytes, size_t step, bool& ok) {
  websocket::FrameReader reader(websocket::From::kClient);
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += step) {
    reader.Put(bytes.substr(at, step));
    while (true) {
      const absl::StatusOr<std::optional<websocket::Piece>> piece = reader.Next();
      if (!piece.ok()) {
        ok = false;
        return text;
      }
      if (!piece->has_value()) break;
      absl::StrAppend(&text, (*piece)->first ? "<" : "", (*piece)->bytes,
                      (*piece)->last ? ">" : "");
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
