// Composition root of edged-svc.
#ifndef SKERRY_SERVICES_EDGED_SVC_APP_H_
#define SKERRY_SERVICES_EDGED_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/edged-svc/config.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"

namespace skerry::edged {

// Pods of one box. Ready when the runtime answers and edge-meta-svc has named its objects; with or
// without the cloud. Stopping leaves containers running: the next start takes them over. Used by
// one thread; `clock` outlives it.
class EdgedApp final : public process::App {
 public:
  EdgedApp(EdgedConfig config, Clock& clock, log::Logger log);
  ~EdgedApp() override;

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override { return readiness_; }
  // "api" and "ops".
  std::map<std::string, std::string> addresses() const override;

 private:
  struct Parts;
  absl::Status OpenCheckpoints();
  absl::StatusOr<std::unique_ptr<Runtime>> MakeRuntime();
  absl::Status StartPods();
  absl::Status StartMeta();
  void StartUpkeep();
  void TellStart();
  absl::Status StartStreams();
  absl::Status StartServer();

  EdgedConfig config_;
  Clock& clock_;
  const log::Logger log_;
  process::Readiness readiness_;
  std::unique_ptr<process::Readiness::Token> serving_, runtime_ready_, meta_synced_;
  std::unique_ptr<Parts> parts_;  // What was started; null before Start and after Stop.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_APP_H_
