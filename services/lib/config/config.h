// Configuration of a service: defaults < YAML file < environment < flags. Declared once per
// setting; from the declaration come the flag, the variable, the YAML key, --help and the checks.
#ifndef SKERRY_SERVICES_LIB_CONFIG_CONFIG_H_
#define SKERRY_SERVICES_LIB_CONFIG_CONFIG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/log/logger.h"

namespace skerry::config {

// What main() does after Load.
enum class Action {
  kRun,  // The configuration is good: run.
  // --check_health: the configuration is that of a running service. Ask it, and exit 0 if it is
  // ready.
  kCheckHealth,
  kExit,  // --help, --version or --validate_config was answered on standard output: exit 0.
};

// Declares settings bound to fields of a struct that outlives it, then loads them. Setting
// "link.heartbeat_interval" of service "edgehub-svc" is YAML `link: {heartbeat_interval: 15s}`,
// variable SKERRY_EDGEHUB_LINK_HEARTBEAT_INTERVAL and flag --link_heartbeat_interval. Used by one
// thread, before anything else starts.
//
//   config::Schema schema("edgehub-svc", "The box's end of the link.");
//   schema.Add("listen", &c.listen, "gRPC address for the services of the box (unix:/path or
//   host:port)"); schema.Add("link.heartbeat_interval", &c.heartbeat_interval,
//   "…").Min(absl::Seconds(1)); SKERRY_ASSIGN_OR_RETURN(config::Action action, schema.Load(argc,
//   argv));
class Schema {
 public:
  class Setting;  // Fluent checks of one setting.

  Schema(absl::string_view service, absl::string_view help);
  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  // The field's present value is the default. Durations read "1h30m", "250ms"; sizes (AddBytes)
  // "64MiB", "1GB", "4096"; lists are YAML lists, or comma-separated in variables and flags.
  Setting& Add(absl::string_view name, std::string* field, absl::string_view help);
  Setting& Add(absl::string_view name, bool* field, absl::string_view help);
  Setting& Add(absl::string_view name, int64_t* field, absl::string_view help);
  Setting& Add(absl::string_view name, double* field, absl::string_view help);
  Setting& Add(absl::string_view name, absl::Duration* field, absl::string_view help);
  Setting& Add(absl::string_view name, std::vector<std::string>* field, absl::string_view help);
  Setting& AddBytes(absl::string_view name, int64_t* field, absl::string_view help);
  // Where `former` is given, the error says that it is called `name` by now.
  void Renamed(absl::string_view former, absl::string_view name);
  // A check over several fields, run after all are set.
  void Check(std::function<absl::Status()> check);

  // INVALID_ARGUMENT names the source (file and line, variable or flag), the key, the value and the
  // fix. An unknown key, variable of our prefix or flag is refused; so is a missing --config file.
  absl::StatusOr<Action> Load(int argc, const char* const* argv);
  // As Load, with the environment given: for tests.
  absl::StatusOr<Action> LoadWith(int argc, const char* const* argv,
                                  const std::map<std::string, std::string>& env);

  const std::string& service() const;
  // Every setting's value in force, secrets masked, for the one log line at start.
  std::vector<log::Field> Effective() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Schema::Setting {
 public:
  virtual ~Setting() = default;
  virtual Setting& Required() = 0;  // Empty is refused.
  virtual Setting& OneOf(std::vector<std::string> values) = 0;
  virtual Setting& Min(double value) = 0;  // Numbers and sizes; inclusive.
  virtual Setting& Max(double value) = 0;
  virtual Setting& Min(absl::Duration value) = 0;
  virtual Setting& Max(absl::Duration value) = 0;
  virtual Setting& Secret() = 0;  // Masked in Effective(). Prefer files.
};

// Settings every service has: "log.level", "ops.listen" (metrics and health over HTTP,
// "127.0.0.1:0"), "addresses_file", "process.drain_timeout".
struct CommonConfig {
  std::string log_level = "info";
  std::string ops_listen = "127.0.0.1:0";
  // Where set: a file that receives {"api": "<bound address>", "ops": "<bound address>", "pid": n,
  // …} once the service has started, for scripts that start services on port 0; removed when it
  // stops.
  std::string addresses_file;
  absl::Duration drain_timeout = absl::Seconds(10);
};
void AddCommon(Schema& schema, CommonConfig& config);

}  // namespace skerry::config

#endif  // SKERRY_SERVICES_LIB_CONFIG_CONFIG_H_
