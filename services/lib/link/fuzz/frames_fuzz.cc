// Any bytes as a frame of either end of the link.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "services/lib/link/deflate.h"
#include "services/lib/link/frame_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  // A frame that was taken is one that the other end would take again.
  if (auto edge = skerry::link::ParseEdgeFrame(bytes); edge.ok()) {
    if (!skerry::link::ParseEdgeFrame(skerry::link::Serialize(*std::move(edge))).ok()) std::abort();
  }
  if (auto cloud = skerry::link::ParseCloudFrame(bytes); cloud.ok()) {
    if (!skerry::link::ParseCloudFrame(skerry::link::Serialize(*std::move(cloud))).ok())
      std::abort();
  }
  const auto inflated = skerry::link::Inflate(bytes, 64 << 10);
  if (inflated.ok() && inflated->size() != 64 << 10) std::abort();
  return 0;
}
