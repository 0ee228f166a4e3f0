// A service's start waits for its database, which may be starting beside it.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_AWAIT_DATABASE_H_
#define SKERRY_SERVICES_LIB_POSTGRES_AWAIT_DATABASE_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/knock.h"
#include "services/lib/postgres/pool.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/stop.h"

namespace skerry::postgres {

struct Patience {
  absl::Duration at_most = absl::Minutes(2);
  absl::Duration retry = absl::Seconds(1);  // Half to one and a half of that between two tries.
  // Tries that fail earlier are not among the connections that failed: a database that starts
  // beside the service is no outage, and nobody is to be called.
  absl::Duration uncounted = absl::Minutes(1);
  absl::Duration warn_interval = absl::Seconds(10);
  Stopped stopped = process::AwaitStop;
};

// Returns once the database lets us in; before anything else is asked of `pool`. Until then
// `readiness` has the condition "PostgreSQL at <server>", and the log a warning at the first
// failure and every warn_interval. UNAVAILABLE / DATABASE_AWAY after at_most; CANCELLED when the
// process has been told to end; what does not pass (knock.h) at once.
absl::Status AwaitDatabase(Pool& pool, process::Readiness& readiness, const log::Logger& log,
                           const Patience& patience = {});

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_AWAIT_DATABASE_H_
