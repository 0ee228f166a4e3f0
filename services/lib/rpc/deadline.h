// Deadlines of calls.
#ifndef SKERRY_SERVICES_LIB_RPC_DEADLINE_H_
#define SKERRY_SERVICES_LIB_RPC_DEADLINE_H_

#include <grpc/support/time.h>

#include "absl/time/time.h"

namespace skerry::rpc {

// For set_deadline, alarms, Shutdown. By the monotonic clock: for two seconds after the wall clock
// was set, absl's is still the old one, and a deadline by it could pass at once, or in a day.
inline gpr_timespec DeadlineIn(absl::Duration time) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(time), GPR_TIMESPAN));
}

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_DEADLINE_H_
