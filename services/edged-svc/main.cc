#include <memory>

#include "services/edged-svc/app.h"
#include "services/edged-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::edged::EdgedConfig config;
  skerry::config::Schema schema("edged-svc",
                                "Runs the pods of this box through its container runtime.");
  skerry::edged::Declare(schema, config);
  skerry::SystemClock clock;
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::edged::EdgedApp>(config, clock, log);
      });
}
