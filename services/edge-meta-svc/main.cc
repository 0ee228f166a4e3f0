#include <memory>

#include "services/edge-meta-svc/app.h"
#include "services/edge-meta-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::edgemeta::MetaConfig config;
  skerry::config::Schema schema("edge-meta-svc", "The box's own copy of Kubernetes objects.");
  skerry::edgemeta::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::edgemeta::MetaApp>(config, clock, log);
      });
}
