// What an operator gave as the connection to PostgreSQL, as libpq is given it.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_CONNECTION_SETTINGS_H_
#define SKERRY_SERVICES_LIB_POSTGRES_CONNECTION_SETTINGS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::postgres {

struct ConnectionSettings {
  std::string text;    // libpq's key='value', with the password where there is one.
  std::string server;  // For people: "db.example.com:5432", "/run/postgresql"; never the password.
};

// Of "host=db dbname=skerry user=skerry passfile=…" or a postgresql:// URL, and what a service
// needs besides. The operator's own settings win, but for statement_timeout. DATABASE_URL (below),
// which shows nothing of the text, where libpq does not understand it, or where a part of a
// password would be taken for a host or a port.
absl::StatusOr<ConnectionSettings> ReadConnection(const std::string& connection,
                                                  absl::Duration connect_timeout,
                                                  absl::Duration statement_timeout);

// INVALID_ARGUMENT / DATABASE_URL: "the PostgreSQL connection … <why>".
absl::Status NotTaken(absl::string_view why);

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_CONNECTION_SETTINGS_H_
