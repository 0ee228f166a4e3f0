#include "services/edge-meta-svc/app.h"
#include "services/edge-meta-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::process::Init();
  skerry::edgemeta::MetaConfig config;
  std::vector<skerry::log::Field> effective;
  auto action = skerry::edgemeta::LoadMetaConfig(argc, argv, config, effective);
  if (!action.ok()) return skerry::process::Fail("edge-meta-svc", action.status());
  if (*action == skerry::config::Action::kExit) return 0;
  skerry::log::Level level = skerry::log::Level::kInfo;
  absl::Status parsed = skerry::log::ParseLevel(config.common.log_level, level);
  if (!parsed.ok()) return skerry::process::Fail("edge-meta-svc", parsed);
  skerry::log::Logger log = skerry::log::Logger::Create("edge-meta-svc", level);
  skerry::SystemClock clock;
  const skerry::config::CommonConfig common = config.common;
  skerry::edgemeta::MetaApp app(std::move(config), clock, log);
  return skerry::process::Run(app, common, log);
}
