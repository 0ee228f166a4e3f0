// A service as a main() runs it: its settings, and the app that they make.
#ifndef SKERRY_SERVICES_LIB_PROCESS_SERVICE_H_
#define SKERRY_SERVICES_LIB_PROCESS_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

namespace skerry::process {

// Used by the main thread alone. Outlives the app that it makes.
class Service {
 public:
  virtual ~Service() = default;
  // Every setting, not yet loaded.
  virtual config::Schema& schema() = 0;
  // A part of what schema() fills.
  virtual const config::CommonConfig& common() const = 0;
  // Once, after schema() is loaded.
  virtual std::unique_ptr<App> MakeApp(const log::Logger& log) = 0;
};

// The service `Name` with the settings of Config (declared by Declare(Schema&, Config&) of its
// namespace) and the composition root AppOfIt(Config, Clock&, Logger).
template <typename Config, typename AppOfIt>
class ServiceOf final : public Service {
 public:
  ServiceOf(absl::string_view name, absl::string_view help) : schema_(name, help) {
    Declare(schema_, config_);
  }
  config::Schema& schema() override { return schema_; }
  const config::CommonConfig& common() const override { return config_.common; }
  std::unique_ptr<App> MakeApp(const log::Logger& log) override {
    return std::make_unique<AppOfIt>(config_, clock_, log);
  }

 private:
  SystemClock clock_;
  Config config_;
  config::Schema schema_;
};

// What main() returns: loads the configuration, logs it, makes the app and runs it. Calls Init().
int RunService(int argc, char** argv, Service& service);

struct ServicesOptions {
  // Each service reads <config_dir>/<name without -svc>.yaml and its own variables.
  std::string config_dir;
  // Where set: {"pid": n, "<service>/<address's name>": "<bound address>", …} once all have
  // started.
  std::string addresses_file;
  // Instead of running them, asks those that run with this configuration: 0 if all are ready.
  bool check_health = false;
};

// What main() returns for a process of several services. They start in the given order and end in
// the other one; one without a configuration file does not run. They share the process's fate:
// where one cannot start, none runs (exit code 1; 2 for a configuration that is refused, or where
// there is none at all), and where one asks for a restart, all end. Calls Init().
int RunServices(const ServicesOptions& options,
                const std::vector<std::unique_ptr<Service>>& services, const log::Logger& log);

}  // namespace skerry::process

#endif  // SKERRY_SERVICES_LIB_PROCESS_SERVICE_H_
