#include "services/lib/base/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/standalone-api-svc/app.h"
#include "services/standalone-api-svc/config.h"

int main(int argc, char** argv) {
  skerry::process::Init();
  skerry::standaloneapi::StandaloneApiConfig config;
  skerry::config::Schema schema("standalone-api-svc",
                                "A Kubernetes-compatible API server for sites without a cluster.");
  skerry::standaloneapi::Declare(schema, config);
  absl::StatusOr<skerry::config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return skerry::process::Fail("standalone-api-svc", action.status());
  if (*action == skerry::config::Action::kExit) return 0;
  skerry::log::Level level = skerry::log::Level::kInfo;
  absl::Status parsed = skerry::log::ParseLevel(config.common.log_level, level);
  if (!parsed.ok()) return skerry::process::Fail("standalone-api-svc", parsed);

  skerry::log::Logger log = skerry::log::Logger::Create("standalone-api-svc", level);
  skerry::SystemClock clock;
  skerry::standaloneapi::StandaloneApiApp app(config, clock, log);
  return skerry::process::Run(app, config.common, log);
}
