#include <memory>

#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/servicebus-svc/app.h"
#include "services/servicebus-svc/config.h"

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::servicebus::ServiceBusConfig config;
  skerry::config::Schema schema("servicebus-svc", "HTTP between the cloud and the box's services.");
  skerry::servicebus::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::servicebus::ServiceBusApp>(config, clock, log);
      });
}
