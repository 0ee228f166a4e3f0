// Composition root of twin-svc.
#ifndef SKERRY_SERVICES_TWIN_SVC_APP_H_
#define SKERRY_SERVICES_TWIN_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/twin-svc/config.h"

namespace skerry::twin {

// Ready as soon as it serves: a box that starts without the cloud, or before its neighbours, works
// with the twins of its store. `clock` outlives it.
class TwinApp final : public process::App {
 public:
  TwinApp(TwinConfig config, Clock& clock, log::Logger log);
  ~TwinApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override;
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  static TwinConfig WithAddresses(TwinConfig config);
  absl::Status OpenStores();
  absl::Status MakeDesk();
  absl::Status StartMappers();
  absl::Status StartFollower();

  const TwinConfig config_;
  Clock& clock_;
  const log::Logger log_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_APP_H_
