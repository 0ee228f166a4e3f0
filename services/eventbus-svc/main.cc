#include <memory>

#include "services/eventbus-svc/app.h"
#include "services/eventbus-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::eventbus::BusConfig config;
  skerry::config::Schema schema("eventbus-svc", "KubeEdge's MQTT topics for the box's devices.");
  skerry::eventbus::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::eventbus::BusApp>(config, clock, log);
      });
}
