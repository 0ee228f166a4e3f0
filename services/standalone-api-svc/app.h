// Composition root of standalone-api-svc.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_APP_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"
#include "services/standalone-api-svc/config.h"

namespace skerry::standaloneapi {

// One API server. Used by one thread; `clock` outlives it.
class StandaloneApiApp final : public process::App {
 public:
  StandaloneApiApp(StandaloneApiConfig config, Clock& clock, log::Logger log);
  ~StandaloneApiApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override { return readiness_; }
  // "api" and "ops".
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  absl::Status OpenPki();
  absl::Status OpenStore();
  absl::Status OpenTokens();
  absl::Status OpenAccess();
  absl::Status Bootstrap();
  absl::Status Serve();
  absl::Status KeepCertificates();

  const StandaloneApiConfig config_;
  Clock& clock_;
  const log::Logger log_;
  process::Readiness readiness_;
  std::unique_ptr<process::Readiness::Token> serving_;
  std::unique_ptr<Parts> parts_;  // What was started; null before Start and after Stop.
};

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_APP_H_
