// One try to connect, which tells a server that does not answer yet from one that refuses.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_KNOCK_H_
#define SKERRY_SERVICES_LIB_POSTGRES_KNOCK_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/postgres/connection_settings.h"

namespace skerry::postgres {

// Whether to give up; waits for that up to so long.
using Stopped = std::function<bool(absl::Duration)>;

// Of a connection that failed, by libpq's message with SQLSTATEs (PQERRORS_VERBOSE). libpqxx throws
// the same for all of them. Connections by way of several addresses have several messages: one
// that is for good is.
//
// | SQLSTATE                                            | status             | reason            |
// |-----------------------------------------------------|--------------------|-------------------|
// | none: refused, no route, name unknown, TLS          | UNAVAILABLE        | DATABASE_AWAY     |
// | 57P01-57P03 (ends, starts), 53xxx (too many         | UNAVAILABLE        | DATABASE_AWAY     |
// | connections), 08xxx (a pooler's)                    |                    |                   |
// | others: password, user, database, pg_hba.conf       | FAILED_PRECONDITION| DATABASE_REFUSES  |
absl::Status StatusOfRefusal(absl::string_view server, absl::string_view message);

// Connects and leaves again. As above, or: INVALID_ARGUMENT / DATABASE_URL where libpq takes a
// setting for none; FAILED_PRECONDITION / DATABASE_REFUSES where it wants a password and there is
// none; DEADLINE_EXCEEDED when the server said nothing for `timeout`, which is for each of its
// addresses and three times that for all; CANCELLED once `stopped` says so, which is asked all the
// while. Looks up names, which `timeout` does not end.
absl::Status Knock(const ConnectionSettings& settings, absl::Duration timeout,
                   const Stopped& stopped);

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_KNOCK_H_
