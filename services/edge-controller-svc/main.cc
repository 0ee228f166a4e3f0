// edge-controller-svc: Kubernetes workloads to the edge and their status back.
#include <memory>

#include "services/edge-controller-svc/app.h"
#include "services/edge-controller-svc/config.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::edgecontroller::EdgeControllerConfig config;
  skerry::config::Schema schema("edge-controller-svc",
                                "Kubernetes workloads to edge nodes, and their status back.");
  skerry::edgecontroller::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::edgecontroller::EdgeControllerApp>(config, log);
      });
}
