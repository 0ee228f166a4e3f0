// Kubernetes resource quantities.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_QUANTITY_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_QUANTITY_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

inline constexpr int64_t kNano = 1'000'000'000;

// "500m", "1.5", "64Mi", "1e3" in nano-units, rounded up. INVALID_ARGUMENT for anything else,
// negative amounts and those beyond 2^63 units.
absl::StatusOr<__int128> ParseQuantity(absl::string_view text);

// Whole units and thousandths, rounded up as Kubernetes does.
int64_t ToUnits(__int128 nano);
int64_t ToMillis(__int128 nano);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_QUANTITY_H_
