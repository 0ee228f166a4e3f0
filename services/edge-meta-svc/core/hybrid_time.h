// Names a report by when it came, without ever going back.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_HYBRID_TIME_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_HYBRID_TIME_H_

#include <compare>
#include <cstdint>

#include "absl/time/time.h"

namespace skerry::edgemeta {

// Hybrid logical time of one store. A clock that was years ahead leaves it there for good, where
// `logical` counts on: it is for telling values apart, never for people.
struct HybridTime {
  int64_t wall_micros = 0;
  uint32_t logical = 0;
  auto operator<=>(const HybridTime&) const = default;
};

// The time of what comes now, by this box's wall clock: always greater than `last`. (One that would
// overflow takes a clock at the end of the year 294246.)
HybridTime Next(HybridTime last, absl::Time now);

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_HYBRID_TIME_H_
