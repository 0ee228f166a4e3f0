#include <memory>

#include "services/edgehub-svc/app.h"
#include "services/edgehub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::edgehub::EdgeHubConfig config;
  skerry::config::Schema schema(
      "edgehub-svc", "Keeps the box connected to the cloud, and holds what could not be sent yet.");
  skerry::edgehub::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::edgehub::EdgeHubApp>(config, clock, log);
      });
}
