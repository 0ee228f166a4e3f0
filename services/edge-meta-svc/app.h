// Composition root of edge-meta-svc.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_APP_H_
#define SKERRY_SERVICES_EDGE_META_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "services/edge-meta-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

namespace skerry::edgemeta {

// Ready as soon as it serves: a box that starts without the cloud, or before edgehub-svc, works
// from its store. `clock` outlives it.
class MetaApp final : public process::App {
 public:
  MetaApp(MetaConfig config, Clock& clock, log::Logger log);
  ~MetaApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override;
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  static MetaConfig WithAddresses(MetaConfig config);
  void WriteCopy();  // Now, and from then on every hour.

  const MetaConfig config_;
  Clock& clock_;
  const log::Logger log_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_APP_H_
