// Status propagation; the only macros of the code base beside SKERRY_CHECK.
#ifndef SKERRY_SERVICES_LIB_BASE_STATUS_MACROS_H_
#define SKERRY_SERVICES_LIB_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define SKERRY_STATUS_CONCAT_INNER(a, b) a##b
#define SKERRY_STATUS_CONCAT(a, b) SKERRY_STATUS_CONCAT_INNER(a, b)

// Returns from the calling function if `expr` is not OK.
#define SKERRY_RETURN_IF_ERROR(expr)               \
  do {                                             \
    absl::Status skerry_status = (expr);           \
    if (!skerry_status.ok()) return skerry_status; \
  } while (false)

// SKERRY_ASSIGN_OR_RETURN(auto x, Make()): declares x, or returns Make()'s error.
#define SKERRY_ASSIGN_OR_RETURN(lhs, expr) \
  SKERRY_ASSIGN_OR_RETURN_IMPL(SKERRY_STATUS_CONCAT(skerry_or_, __LINE__), lhs, expr)

#define SKERRY_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) return std::move(tmp).status();     \
  lhs = *std::move(tmp)

#endif  // SKERRY_SERVICES_LIB_BASE_STATUS_MACROS_H_
