// Frames as the bytes that chunks carry, and compressed.
#ifndef SKERRY_SERVICES_LIB_LINK_FRAME_BYTES_H_
#define SKERRY_SERVICES_LIB_LINK_FRAME_BYTES_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

std::string Serialize(EdgeFrame frame);
std::string Serialize(CloudFrame frame);
// From a peer: bounds are checked as those of frames that come whole. A chunk is a violation.
absl::StatusOr<EdgeFrame> ParseEdgeFrame(const std::string& bytes);
absl::StatusOr<CloudFrame> ParseCloudFrame(const std::string& bytes);
// As Compressed where that pays (link-13.1); else the frame.
EdgeFrame Compress(Rank rank, EdgeFrame frame);
CloudFrame Compress(Rank rank, CloudFrame frame);
// From a peer: as above. What is compressed or a chunk itself is a violation.
absl::StatusOr<EdgeFrame> UncompressEdgeFrame(const Compressed& compressed);
absl::StatusOr<CloudFrame> UncompressCloudFrame(const Compressed& compressed);

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_FRAME_BYTES_H_
