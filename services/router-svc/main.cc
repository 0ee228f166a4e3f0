#include <memory>

#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/router-svc/app.h"
#include "services/router-svc/config.h"

int main(int argc, char** argv) {
  skerry::router::RouterConfig config;
  skerry::config::Schema schema("router-svc",
                                "Takes messages between the cloud and boxes by Rules.");
  skerry::router::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::router::RouterApp>(config, log);
      });
}
