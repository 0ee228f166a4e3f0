// Composition root of a mapper, whatever its protocol.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_APP_H_
#define SKERRY_SERVICES_MAPPERS_LIB_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/mappers/lib/config.h"
#include "services/mappers/lib/driver.h"

namespace skerry::mapper {

// Ready while twin-svc has it registered. `driver` and `clock` outlive it.
class MapperApp final : public process::App {
 public:
  MapperApp(MapperConfig config, Driver& driver, Clock& clock, log::Logger log);
  ~MapperApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override;
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;

  const MapperConfig config_;
  Driver& driver_;
  Clock& clock_;
  const log::Logger log_;
  std::unique_ptr<Parts> parts_;
};

// What main() of a mapper returns: settings, their log line, the app until a signal. `name` is that
// of the binary.
int RunMapper(int argc, char** argv, absl::string_view name, absl::string_view help,
              absl::string_view protocol, Driver& driver);

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_APP_H_
