// When a report came, and whether it is newer than another of its key.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_REPORT_ORDER_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_REPORT_ORDER_H_

#include <compare>
#include <cstdint>
#include <optional>

namespace skerry::edgemeta {

// Hybrid logical time of one node.
struct HybridTime {
  int64_t wall_micros = 0;
  uint32_t logical = 0;
  auto operator<=>(const HybridTime&) const = default;
};

// The time to store a report under; nullopt if it is older than the stored one of its key and is to
// be dropped. `given` is the writer's time, where it gave one; `last` the newest time that the
// store holds; `stored` that of the report's key; `now_micros` this box's wall clock. A stored time
// that is ahead of the clock by more than a minute came from a clock that has since been set back:
// it does not hold off what is new, and time goes on from it, so it never goes back.
std::optional<HybridTime> OrderReport(std::optional<HybridTime> given,
                                      std::optional<HybridTime> stored, HybridTime last,
                                      int64_t now_micros);

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_REPORT_ORDER_H_
