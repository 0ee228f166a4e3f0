#include "services/edged-svc/app.h"
#include "services/edged-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::process::Init();
  skerry::edged::EdgedConfig config;
  skerry::config::Schema schema("edged-svc",
                                "Runs the pods of this box through its container runtime.");
  skerry::edged::Declare(schema, config);
  absl::StatusOr<skerry::config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return skerry::process::Fail("edged-svc", action.status());
  if (*action == skerry::config::Action::kExit) return 0;
  skerry::log::Level level = skerry::log::Level::kInfo;
  absl::Status parsed = skerry::log::ParseLevel(config.common.log_level, level);
  if (!parsed.ok()) return skerry::process::Fail("edged-svc", parsed);

  skerry::log::Logger log = skerry::log::Logger::Create("edged-svc", level);
  skerry::SystemClock clock;
  skerry::edged::EdgedApp app(config, clock, log);
  return skerry::process::Run(app, config.common, log);
}
