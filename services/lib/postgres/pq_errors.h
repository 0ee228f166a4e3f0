// The one map from libpqxx's exceptions to statuses; nothing it throws gets past CatchPq.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_PQ_ERRORS_H_
#define SKERRY_SERVICES_LIB_POSTGRES_PQ_ERRORS_H_

#include <exception>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::postgres {

// | exception (SQLSTATE)                                | status             | reason            |
// |-----------------------------------------------------|--------------------|-------------------|
// | unique_violation                                    | ALREADY_EXISTS     |                   |
// | foreign_key_violation                               | FAILED_PRECONDITION|                   |
// | serialization_failure, deadlock_detected            | ABORTED            |                   |
// | in_doubt_error, statement_completion_unknown        | UNKNOWN            | COMMIT_IN_DOUBT   |
// | broken_connection, too_many_connections, 57P01-57P03| UNAVAILABLE        | DATABASE_AWAY     |
// | disk_full, 53100                                    | RESOURCE_EXHAUSTED | DATABASE_FULL     |
// | other insufficient_resources                        | RESOURCE_EXHAUSTED |                   |
// | 57014 (statement timeout)                           | DEADLINE_EXCEEDED  | STATEMENT_TIMEOUT |
// | 55P03 (lock not available), 40001, 40P01            | ABORTED            |                   |
// | data_exception                                      | INVALID_ARGUMENT   |                   |
// | insufficient_privilege                              | PERMISSION_DENIED  |                   |
// | 25006 (read-only: a standby)                        | FAILED_PRECONDITION| DATABASE_READ_ONLY|
// | the rest                                            | INTERNAL           |                   |
absl::Status StatusFromPq(absl::string_view op, std::exception_ptr exception);

// What `fn` returns, a Status or StatusOr; or the status of what it throws.
template <typename Fn>
auto CatchPq(absl::string_view op, Fn fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (...) {
    return StatusFromPq(op, std::current_exception());
  }
}

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_PQ_ERRORS_H_
