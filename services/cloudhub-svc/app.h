// Composition root of cloudhub-svc.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_APP_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::cloudhub {

// One hub. Used by one thread; `clock` outlives it.
class CloudHubApp final : public process::App {
 public:
  CloudHubApp(CloudHubConfig config, Clock& clock, log::Logger log);
  ~CloudHubApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override { return readiness_; }
  // "link", "api", "join" and "ops".
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  // The CA, tokens, and what is known of the nodes' names.
  absl::Status OpenStores();
  absl::Status OpenSqlite();
  sqlite::Environment Files();  // What its databases get.
  absl::Status OpenPostgres();
  absl::Status OpenSqliteCommands();
  absl::Status StartServers();
  // As service/admin_service.h says.
  absl::Status SetDrain(int nodes_per_second);

  const CloudHubConfig config_;
  Clock& clock_;
  const log::Logger log_;
  process::Readiness readiness_;
  std::unique_ptr<process::Readiness::Token> serving_;
  std::unique_ptr<process::Readiness::Token> not_draining_;
  std::unique_ptr<Parts> parts_;  // What was started; null before Start and after Stop.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_APP_H_
