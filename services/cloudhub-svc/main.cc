#include "services/cloudhub-svc/app.h"
#include "services/cloudhub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::process::Init();
  skerry::cloudhub::CloudHubConfig config;
  skerry::config::Schema schema(
      "cloudhub-svc",
      "Terminates the links of edge nodes and routes between them and controllers.");
  skerry::cloudhub::Declare(schema, config);
  absl::StatusOr<skerry::config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return skerry::process::Fail("cloudhub-svc", action.status());
  if (*action == skerry::config::Action::kExit) return 0;
  skerry::log::Level level = skerry::log::Level::kInfo;
  absl::Status parsed = skerry::log::ParseLevel(config.common.log_level, level);
  if (!parsed.ok()) return skerry::process::Fail("cloudhub-svc", parsed);

  skerry::log::Logger log = skerry::log::Logger::Create("cloudhub-svc", level);
  skerry::SystemClock clock;
  skerry::cloudhub::CloudHubApp app(config, clock, log);
  return skerry::process::Run(app, config.common, log);
}
