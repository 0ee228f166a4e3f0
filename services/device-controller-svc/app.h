// Composition root of device-controller-svc.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_APP_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/api_server.h"
#include "services/device-controller-svc/config.h"
#include "services/device-controller-svc/engine.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/store_set.h"
#include "services/lib/auth/token_reviews.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/hub_finder.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/leader_election.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"
#include "services/lib/security/certificate_expiry.h"

namespace skerry::devicecontroller {

// Owns everything. The engine exists while this process leads; the API is served by every replica.
class DeviceControllerApp final : public process::App {
 public:
  DeviceControllerApp(DeviceControllerConfig config, log::Logger log);
  ~DeviceControllerApp() override;  // Stop().

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override { return readiness_; }
  std::map<std::string, std::string> addresses() const override;

 private:
  absl::StatusOr<std::unique_ptr<cloudspoke::HubFinder>> MakeFinder();
  absl::Status StartApi();
  void SetEngine(std::unique_ptr<Engine> engine);
  void StartElector();
  void Lead();
  void CeaseToLead();

  const DeviceControllerConfig config_;
  const std::string instance_;
  log::Logger log_;
  SystemClock clock_;
  process::Readiness readiness_;
  std::unique_ptr<process::Readiness::Token> api_ready_;
  std::unique_ptr<process::Readiness::Token> caches_ready_;
  std::unique_ptr<process::Readiness::Token> hub_ready_;
  metrics::Registry registry_;
  DeviceControllerMetrics metrics_;
  std::unique_ptr<metrics::OpsServer> ops_;
  std::unique_ptr<StoreSet> stores_;
  std::unique_ptr<kubeclient::Client> client_;
  std::unique_ptr<cloudspoke::HubFinder> hubs_;
  std::unique_ptr<security::CertificateExpiry> certificates_;  // Null without TLS.
  std::unique_ptr<auth::TokenReviews> tokens_;                 // Null: certificates only.
  std::unique_ptr<ApiServer> api_;
  absl::Mutex engine_mutex_;
  // Set by the elector's thread while there is an elector; read by the API's.
  std::unique_ptr<Engine> engine_ ABSL_GUARDED_BY(engine_mutex_);
  std::unique_ptr<kubeclient::LeaderElector> elector_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_APP_H_
