#include "services/lib/link/frame_bytes.h"

#include <optional>
#include <utility>

#include "services/lib/base/status_macros.h"
#include "services/lib/link/deflate.h"
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

template <typename Frame>
Frame CompressFrame(Rank rank, Frame frame) {
  if (FrameBytes(frame) < kCompressBytesMin) return frame;
  const std::string plain = Serialize(frame);
  std::optional<std::string> bytes = Deflate(plain, plain.size() - plain.size() / 10);
  // What would be smaller still is more than a peer inflates for so few bytes (link-13.3).
  if (!bytes.has_value() || plain.size() > kCompressRatioMax * bytes->size()) return frame;
  return Compressed{rank, plain.size(), *std::move(bytes)};
}

template <typename Message>
auto Uncompress(const Compressed& compressed) -> decltype(FromWire(Message())) {
  SKERRY_ASSIGN_OR_RETURN(const std::string bytes, Inflate(compressed.bytes, compressed.size));
  Message message;
  if (!message.ParseFromString(bytes))
    return Violation("link-13.4", "what came compressed is no frame");
  if (message.has_chunk() || message.has_compressed())
    return Violation("link-13.4", "a chunk or a compressed frame came compressed");
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

EdgeFrame Compress(Rank rank, EdgeFrame frame) { return CompressFrame(rank, std::move(frame)); }

CloudFrame Compress(Rank rank, CloudFrame frame) { return CompressFrame(rank, std::move(frame)); }

absl::StatusOr<EdgeFrame> UncompressEdgeFrame(const Compressed& compressed) {
  return Uncompress<v1::EdgeFrame>(compressed);
}

absl::StatusOr<CloudFrame> UncompressCloudFrame(const Compressed& compressed) {
  return Uncompress<v1::CloudFrame>(compressed);
}

}  // namespace skerry::link
