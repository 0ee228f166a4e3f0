#include "services/lib/postgres/await_database.h"

#include <memory>
#include <string>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/postgres/connection_settings.h"

namespace skerry::postgres {
namespace {

absl::Status Away(const std::string& server, absl::Duration waited, const absl::Status& last) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("waited ", absl::FormatDuration(waited), " in vain: ", last.message(),
                            "; start it, or mend the URL in store.postgres_url_file"))
      .Reason("DATABASE_AWAY")
      .Meta("server", server);
}

}  // namespace

absl::Status AwaitDatabase(Pool& pool, process::Readiness& readiness, const log::Logger& log,
                           const Patience& patience) {
  SKERRY_ASSIGN_OR_RETURN(const ConnectionSettings settings, pool.Settings());
  const std::unique_ptr<process::Readiness::Token> waiting =
      readiness.Register(absl::StrCat("PostgreSQL at ", settings.server));
  SystemClock clock;
  absl::BitGen random;
  const absl::Duration began = clock.Monotonic();
  absl::Duration warn = began;
  for (;;) {
    const bool late = clock.Monotonic() - began >= patience.uncounted;
    const absl::Status status = pool.Try(patience.stopped, late);
    const absl::Duration now = clock.Monotonic();
    if (status.ok()) {
      if (warn > began) log.Info("the database is there", {{"waited", now - began}});
      return status;
    }
    if (!absl::IsUnavailable(status)) return status;
    if (now - began >= patience.at_most) return Away(settings.server, now - began, status);
    if (now >= warn) {
      log.Warning(
          "waiting for the database: see that it runs, that its name is known here, and that its "
          "port can be reached",
          status,
          {{"server", settings.server}, {"waited", now - began}, {"limit", patience.at_most}});
      warn = now + patience.warn_interval;
    }
    if (patience.stopped(patience.retry * absl::Uniform(random, 0.5, 1.5)))
      return absl::CancelledError("told to end while waiting for the database");
  }
}

}  // namespace skerry::postgres
