#include "services/lib/link/frame_bytes.h"

#include <utility>

#include "services/lib/link/wire.h"

namespace skerry::link {
namespace {

template <typename Message>
auto Parse(const std::string& bytes) -> decltype(FromWire(Message())) {
  Message message;
  if (!message.ParseFromString(bytes))
    return Violation("link-12.2", "what came in chunks is no frame");
  if (message.has_chunk()) return Violation("link-12.2", "a chunk came in chunks");
  return FromWire(std::move(message));
}

}  // namespace

std::string Serialize(EdgeFrame frame) { return ToWire(std::move(frame)).SerializeAsString(); }
std::string Serialize(CloudFrame frame) { return ToWire(std::move(frame)).SerializeAsString(); }

absl::StatusOr<EdgeFrame> ParseEdgeFrame(const std::string& bytes) {
  return Parse<v1::EdgeFrame>(bytes);
}

absl::StatusOr<CloudFrame> ParseCloudFrame(const std::string& bytes) {
  return Parse<v1::CloudFrame>(bytes);
}

}  // namespace skerry::link
