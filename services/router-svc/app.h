// Composition root of router-svc.
#ifndef SKERRY_SERVICES_ROUTER_SVC_APP_H_
#define SKERRY_SERVICES_ROUTER_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"
#include "services/router-svc/config.h"
#include "services/router-svc/store/message_tables.h"

namespace skerry::router {

// Ready when the rules are known and a hub is attached.
class RouterApp final : public process::App {
 public:
  RouterApp(RouterConfig config, log::Logger log);
  ~RouterApp() override;  // Stop().

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override;
  // "ops", and "api" and "rest" where these are open.
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  absl::Status OpenSqlite();
  absl::Status OpenPostgres();
  absl::Status UseTables(std::unique_ptr<MessageTables> tables);
  absl::Status FindHubs();
  absl::Status MakeEngine();
  absl::Status StartRest();
  absl::Status StartApi();

  const RouterConfig config_;
  const log::Logger log_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_APP_H_
