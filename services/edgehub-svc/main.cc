#include "services/edgehub-svc/app.h"
#include "services/edgehub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::process::Init();
  skerry::edgehub::EdgeHubConfig config;
  skerry::config::Schema schema(
      "edgehub-svc", "Keeps the box connected to the cloud, and holds what could not be sent yet.");
  skerry::edgehub::Declare(schema, config);
  absl::StatusOr<skerry::config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return skerry::process::Fail("edgehub-svc", action.status());
  if (*action == skerry::config::Action::kExit) return 0;
  skerry::log::Level level = skerry::log::Level::kInfo;
  absl::Status parsed = skerry::log::ParseLevel(config.common.log_level, level);
  if (!parsed.ok()) return skerry::process::Fail("edgehub-svc", parsed);

  skerry::log::Logger log = skerry::log::Logger::Create("edgehub-svc", level);
  skerry::SystemClock clock;
  skerry::edgehub::EdgeHubApp app(config, clock, log);
  return skerry::process::Run(app, config.common, log);
}
