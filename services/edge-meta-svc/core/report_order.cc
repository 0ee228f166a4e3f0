#include "services/edge-meta-svc/core/report_order.h"

namespace skerry::edgemeta {
namespace {

constexpr int64_t kClockSlackMicros = 60'000'000;

HybridTime After(HybridTime last, int64_t now_micros) {
  if (now_micros > last.wall_micros) return {now_micros, 0};
  if (last.logical == UINT32_MAX) return {last.wall_micros + 1, 0};
  return {last.wall_micros, last.logical + 1};
}

}  // namespace

std::optional<HybridTime> OrderReport(std::optional<HybridTime> given,
                                      std::optional<HybridTime> stored, HybridTime last,
                                      int64_t now_micros) {
  if (!given.has_value()) return After(last, now_micros);
  if (!stored.has_value() || *given >= *stored) return given;
  if (stored->wall_micros > now_micros + kClockSlackMicros) return After(*stored, now_micros);
  return std::nullopt;
}

}  // namespace skerry::edgemeta
