// What the stores of this service refuse, with errors that name field, size and bound.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_STORE_CHECKS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_STORE_CHECKS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::devicecontroller::store_checks {

// Names, writers, reasons: columns of type text in PostgreSQL, which holds valid UTF-8 without NUL.
// INVALID_ARGUMENT.
absl::Status CheckText(absl::string_view field, absl::string_view text, size_t bytes_min,
                       size_t bytes_max);
// Any bytes. INVALID_ARGUMENT.
absl::Status CheckBytes(absl::string_view field, absl::string_view bytes, size_t bytes_max);
// The size of a page or list. INVALID_ARGUMENT.
absl::Status CheckCount(absl::string_view field, size_t count, size_t count_max);
// Numbers are kept signed. INVALID_ARGUMENT.
absl::Status CheckNumber(absl::string_view field, uint64_t number);

}  // namespace skerry::devicecontroller::store_checks

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_STORE_CHECKS_H_
