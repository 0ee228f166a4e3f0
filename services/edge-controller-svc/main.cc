// edge-controller-svc: Kubernetes workloads to the edge and their status back.
#include "services/edge-controller-svc/app.h"
#include "services/edge-controller-svc/config.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  constexpr char kService[] = "edge-controller-svc";
  skerry::process::Init();
  skerry::edgecontroller::EdgeControllerConfig config;
  skerry::config::Schema schema(kService,
                                "Kubernetes workloads to edge nodes, and their status back.");
  skerry::edgecontroller::Declare(schema, config);
  absl::StatusOr<skerry::config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return skerry::process::Fail(kService, action.status());
  if (*action == skerry::config::Action::kExit) return 0;

  skerry::log::Level level = skerry::log::Level::kInfo;
  absl::Status parsed = skerry::log::ParseLevel(config.common.log_level, level);
  if (!parsed.ok()) return skerry::process::Fail(kService, parsed);
  skerry::log::Logger log = skerry::log::Logger::Create(kService, level);
  skerry::edgecontroller::EdgeControllerApp app(config, log);
  return skerry::process::Run(app, config.common, log);
}
