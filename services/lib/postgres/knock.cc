#include "services/lib/postgres/knock.h"

#include <poll.h>
#include <postgresql/libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"

namespace skerry::postgres {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

constexpr int kAddressesTried = 3;
// How long the end may take.
constexpr int kSliceMs = 100;
constexpr size_t kStateSize = 5;

// libpq writes "severity:  SQLSTATE: text", the severity in the server's language.
std::string SqlState(absl::string_view line) {
  constexpr absl::string_view kBefore = ":  ";
  const size_t found = line.find(kBefore);
  if (found == absl::string_view::npos) return "";
  const absl::string_view rest = line.substr(found + kBefore.size());
  if (rest.size() <= kStateSize || rest[kStateSize] != ':') return "";
  const std::string state(rest.substr(0, kStateSize));
  for (const char c : state) {
    if (!absl::ascii_isdigit(c) && !absl::ascii_isupper(c)) return "";
  }
  return state;
}

bool MayPass(const std::string& state) {
  return absl::StartsWith(state, "57P0") || absl::StartsWith(state, "53") ||
         absl::StartsWith(state, "08");
}

absl::Status Refused(absl::string_view server, absl::string_view why) {
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("PostgreSQL at ", server, " refuses: ", why,
                            "; mend the URL in store.postgres_url_file, or the database"))
      .Reason("DATABASE_REFUSES")
      .Meta("server", server);
}

absl::Status StatusOfFailure(PGconn* connection, const ConnectionSettings& settings) {
  if (PQconnectionNeedsPassword(connection) != 0)
    return Refused(settings.server, "it wants a password, and there is none");
  return StatusOfRefusal(settings.server, PQerrorMessage(connection));
}

// Of a setting that is none libpq says so before it asks anybody; here there is nobody.
bool HasSettingsThatAreNone(const ConnectionSettings& settings) {
  const std::string nobody = settings.text + " host='/dev/null' hostaddr='' port=''";
  return PQping(nobody.c_str()) == PQPING_NO_ATTEMPT;
}

}  // namespace

absl::Status StatusOfRefusal(absl::string_view server, absl::string_view message) {
  std::vector<absl::string_view> said;
  bool for_good = false;
  for (absl::string_view line : absl::StrSplit(message, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || absl::StartsWith(line, "LOCATION:")) continue;
    said.push_back(line);
    const std::string state = SqlState(line);
    for_good |= !state.empty() && !MayPass(state);
  }
  const std::string text = absl::StrJoin(said, "; ");
  if (for_good) return Refused(server, text);
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("PostgreSQL at ", server, " takes no connection: ", text))
      .Reason("DATABASE_AWAY")
      .Meta("server", server);
}

absl::Status Knock(const ConnectionSettings& settings, absl::Duration timeout,
                   const Stopped& stopped) {
  SystemClock clock;
  const absl::Duration deadline = clock.Monotonic() + kAddressesTried * timeout;
  // The later of two wins. An address that does not answer at all is given up by the kernel, and
  // libpq goes on to the next one.
  const std::string text =
      absl::StrCat(settings.text, " tcp_user_timeout='", absl::ToInt64Milliseconds(timeout), "'");
  const Connection connection(PQconnectStart(text.c_str()), PQfinish);
  if (connection == nullptr)
    return absl::ResourceExhaustedError("no memory for a connection to PostgreSQL");
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  if (PQstatus(connection.get()) == CONNECTION_BAD) {
    if (HasSettingsThatAreNone(settings)) {
      return NotTaken(absl::StrCat("is refused: ",
                                   absl::StripAsciiWhitespace(PQerrorMessage(connection.get()))));
    }
    return StatusOfFailure(connection.get(), settings);
  }
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return StatusOfFailure(connection.get(), settings);
    pollfd socket = {
        PQsocket(connection.get()),
        static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT),  // NOLINT
        0};
    if (stopped(absl::ZeroDuration())) return absl::CancelledError("told to end");
    if (clock.Monotonic() >= deadline) {
      return Error(absl::StatusCode::kDeadlineExceeded,
                   absl::StrCat("PostgreSQL at ", settings.server, " does not answer"))
          .Reason("DATABASE_AWAY")
          .Meta("server", settings.server);
    }
    if (poll(&socket, 1, kSliceMs) > 0) next = PQconnectPoll(connection.get());
  }
  return absl::OkStatus();
}

}  // namespace skerry::postgres
