// Composition root of eventbus-svc.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_APP_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "services/eventbus-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

namespace skerry::eventbus {

// Ready while the broker is there and twin-svc's twins are known. `clock` outlives it.
class BusApp final : public process::App {
 public:
  BusApp(BusConfig config, Clock& clock, log::Logger log);
  ~BusApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override;
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  static BusConfig WithDefaults(BusConfig config);
  absl::Status OpenStore();
  absl::Status MakeRunners();
  absl::Status MakeAdapters();

  const BusConfig config_;
  Clock& clock_;
  const log::Logger log_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_APP_H_
