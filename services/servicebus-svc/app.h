// Composition root of servicebus-svc.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_APP_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"
#include "services/servicebus-svc/config.h"

namespace skerry::servicebus {

// Ready while it is attached to edgehub-svc, with or without the cloud. `clock` outlives it.
class ServiceBusApp final : public process::App {
 public:
  ServiceBusApp(ServiceBusConfig config, Clock& clock, log::Logger log);
  ~ServiceBusApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override;
  // "ops", and "posts" where that is open.
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  absl::Status StartHub();
  absl::Status StartPosts();

  const ServiceBusConfig config_;
  Clock& clock_;
  const log::Logger log_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_APP_H_
