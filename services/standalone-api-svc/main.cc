#include <memory>

#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/standalone-api-svc/app.h"
#include "services/standalone-api-svc/config.h"

int main(int argc, char** argv) {
  skerry::standaloneapi::StandaloneApiConfig config;
  skerry::config::Schema schema("standalone-api-svc",
                                "A Kubernetes-compatible API server for sites without a cluster.");
  skerry::standaloneapi::Declare(schema, config);
  skerry::SystemClock clock;
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::standaloneapi::StandaloneApiApp>(config, clock, log);
      });
}
