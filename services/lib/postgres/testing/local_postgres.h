// A real PostgreSQL server for tests, from the machine's package.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_TESTING_LOCAL_POSTGRES_H_
#define SKERRY_SERVICES_LIB_POSTGRES_TESTING_LOCAL_POSTGRES_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skerry::testing {

// Runs as user postgres where the test is root (the server refuses root; hence Bazel's tag "local":
// the sandbox has no other user). Listens on a Unix socket in its own folder under /tmp; stopped
// and removed by the destructor.
class LocalPostgres {
 public:
  static absl::StatusOr<std::unique_ptr<LocalPostgres>> Start();
  ~LocalPostgres();
  LocalPostgres(const LocalPostgres&) = delete;
  LocalPostgres& operator=(const LocalPostgres&) = delete;

  // An empty database; the libpq connection string for it.
  absl::StatusOr<std::string> CreateDatabase();
  // Kills the server at once and starts it again on the same data, as after a crash.
  absl::Status CrashAndRestart();
  // CrashAndRestart in two steps, as of a server that starts late.
  void Crash();
  absl::Status Restart();

 private:
  explicit LocalPostgres(std::string folder);
  absl::Status Launch();
  void Kill(int signal);

  const std::string folder_;
  pid_t server_ = -1;
  int databases_ = 0;
};

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_POSTGRES_TESTING_LOCAL_POSTGRES_H_
