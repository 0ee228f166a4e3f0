#include "services/edge-meta-svc/core/hybrid_time.h"

namespace skerry::edgemeta {

HybridTime Next(HybridTime last, absl::Time now) {
  const int64_t now_micros = absl::ToUnixMicros(now);
  if (now_micros > last.wall_micros) return {now_micros, 0};
  if (last.logical == UINT32_MAX) return {last.wall_micros + 1, 0};
  return {last.wall_micros, last.logical + 1};
}

}  // namespace skerry::edgemeta
