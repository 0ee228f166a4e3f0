// What every main() does: run an app until a signal, drain, stop, exit code.
#ifndef SKERRY_SERVICES_LIB_PROCESS_RUN_H_
#define SKERRY_SERVICES_LIB_PROCESS_RUN_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"

namespace skerry::process {

// A service's composition root. Run() calls these from one thread, in this order.
class App {
 public:
  virtual ~App() = default;
  // Opens stores, binds ports, starts threads; must not wait for neighbours (readiness tokens do
  // that), but for a store's server: bounded, with a token, and ended by AwaitStop (stop.h).
  virtual absl::Status Start() = 0;
  // Stops taking new work, says NOT_SERVING, ends streams with UNAVAILABLE / DRAINING.
  virtual void Drain(absl::Time deadline) = 0;
  // Ends threads, flushes, closes stores. Reverse of Start; safe after a failed Start.
  virtual void Stop() = 0;

  virtual Readiness& readiness() = 0;
  // Bound addresses by name: {"api": "unix:/run/…", "ops": "127.0.0.1:9"}; valid after Start.
  virtual std::map<std::string, std::string> addresses() const = 0;
};

// Ignores SIGPIPE, blocks the signals that Run waits for (threads started later inherit that),
// turns off Abseil's search for lock cycles. First line of main().
void Init();

// Prints the error and its fix on standard error; returns the exit code 1 (2 for INVALID_ARGUMENT).
int Fail(absl::string_view service, const absl::Status& status);

// Start, write config.addresses_file, wait for SIGTERM or SIGINT, Drain (config.drain_timeout),
// Stop. A second signal exits 1 at once. Returns the exit code.
int Run(App& app, const config::CommonConfig& config, const log::Logger& log);

// One of several apps of a process; what is pointed to outlives it.
struct Member {
  std::string name;  // As its addresses begin in the file of all.
  App* app = nullptr;
  const config::CommonConfig* config = nullptr;
  log::Logger log;
};
// As Run, for all of them: started in the given order, ended in the other one, each drained within
// its own drain_timeout. Where one cannot start, none runs. `addresses_file` has the addresses of
// all, once all have started, by "<name>/<address's name>"; empty: there is none.
int RunAll(const std::vector<Member>& members, const std::string& addresses_file);

// As SIGTERM does, from within; any thread. Whoever keeps the service running starts it again.
void RequestStop();

// The log of a service whose schema is loaded; its first line is the configuration.
absl::StatusOr<log::Logger> StartLog(const config::Schema& schema,
                                     const config::CommonConfig& common);

// --check_health: asks the service that runs with `common` on its ops port, which must be a fixed
// one or stand in addresses_file. Prints why it is not ready. Returns the exit code.
int CheckHealth(absl::string_view service, const config::CommonConfig& common);

// What main() returns: loads the configuration, logs it, makes the app and runs it. `common` is a
// part of what `schema` declares. Calls Init().
int RunService(int argc, char** argv, config::Schema& schema, const config::CommonConfig& common,
               const std::function<std::unique_ptr<App>(const log::Logger&)>& make_app);

}  // namespace skerry::process

#endif  // SKERRY_SERVICES_LIB_PROCESS_RUN_H_
