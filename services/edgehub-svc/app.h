// Composition root of edgehub-svc.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_APP_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"

namespace skerry::edgehub {

// The hub of one box. Ready when its socket serves, with or without the cloud. Used by one thread;
// `clock` outlives it.
class EdgeHubApp final : public process::App {
 public:
  EdgeHubApp(EdgeHubConfig config, Clock& clock, log::Logger log);
  ~EdgeHubApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override { return readiness_; }
  // "api" and "ops".
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  absl::Status OpenStores();
  absl::Status StartHub();
  absl::Status StartServer();

  const EdgeHubConfig config_;
  Clock& clock_;
  const log::Logger log_;
  process::Readiness readiness_;
  std::unique_ptr<process::Readiness::Token> serving_;
  std::unique_ptr<Parts> parts_;  // What was started; null before Start and after Stop.
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_APP_H_
