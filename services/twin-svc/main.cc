#include <memory>

#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/twin-svc/app.h"
#include "services/twin-svc/config.h"

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::twin::TwinConfig config;
  skerry::config::Schema schema("twin-svc", "The twins of the box's devices.");
  skerry::twin::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::twin::TwinApp>(config, clock, log);
      });
}
