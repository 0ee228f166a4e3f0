// Composition root of edge-controller-svc.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_APP_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_APP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edge-controller-svc/config.h"
#include "services/edge-controller-svc/core/node_plan.h"
#include "services/edge-controller-svc/engine.h"
#include "services/edge-controller-svc/gateway/kubelet_gateway.h"
#include "services/edge-controller-svc/metrics.h"
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

namespace skerry::edgecontroller {

// Owns everything. The engine exists while this process leads; a replica in waiting holds no
// objects and counts as ready once it has seen the lease.
class EdgeControllerApp final : public process::App {
 public:
  EdgeControllerApp(EdgeControllerConfig config, log::Logger log);
  ~EdgeControllerApp() override;  // Stop().

  absl::Status Start() override;
  void Drain(absl::Time deadline) override;
  void Stop() override;
  process::Readiness& readiness() override { return readiness_; }
  std::map<std::string, std::string> addresses() const override;

 private:
  absl::Status FindHubs();
  absl::Status StartGateway();
  absl::StatusOr<KubeletGateway::Route> RouteTo(const std::string& pod);
  void SetEngine(std::unique_ptr<Engine> engine);
  void StartElector();
  void Lead();
  void CeaseToLead();

  const EdgeControllerConfig config_;
  const std::string instance_;
  log::Logger log_;
  SystemClock clock_;
  process::Readiness readiness_;
  std::unique_ptr<process::Readiness::Token> api_ready_;
  std::unique_ptr<process::Readiness::Token> caches_ready_;
  std::unique_ptr<process::Readiness::Token> hub_ready_;
  metrics::Registry registry_;
  EdgeControllerMetrics metrics_;
  std::unique_ptr<metrics::OpsServer> ops_;
  std::unique_ptr<kubeclient::Client> client_;
  std::unique_ptr<cloudspoke::HubFinder> hubs_;
  std::unique_ptr<security::CertificateExpiry> certificates_;  // Null without TLS.
  absl::Mutex engine_mutex_;
  // Set by the elector's thread while there is an elector; read by the gateway's.
  std::unique_ptr<Engine> engine_ ABSL_GUARDED_BY(engine_mutex_);
  KubeletEndpoint kubelet_;
  std::unique_ptr<KubeletGateway> gateway_;
  std::unique_ptr<kubeclient::LeaderElector> elector_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_APP_H_
