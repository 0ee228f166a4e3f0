#include <memory>

#include "services/cloudhub-svc/app.h"
#include "services/cloudhub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

// Read by jemalloc, which this binary is linked with: a hub that has lost its nodes gives their
// memory back within seconds, and few arenas waste less on thousands of connections.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0,narenas:2";
}

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::cloudhub::CloudHubConfig config;
  skerry::config::Schema schema(
      "cloudhub-svc",
      "Terminates the links of edge nodes and routes between them and controllers.");
  skerry::cloudhub::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::cloudhub::CloudHubApp>(config, clock, log);
      });
}
