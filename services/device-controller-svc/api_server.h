// Serves this service's gRPC API.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_API_SERVER_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_API_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/store_set.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/model/names.h"
#include "services/lib/security/tls.h"
#include "services/lib/security/token_authenticator.h"

namespace skerry::devicecontroller {

// The same on every replica: stores, Kubernetes API and hubs are all that it needs. It follows the
// DeviceModels, whose rules desired values are checked by, and looks for hubs, which take calls of
// methods. Any thread may call it. References outlive it.
class ApiServer {
 public:
  struct Options {
    std::string listen;
    security::TlsFiles tls;  // None: plaintext, on loopback only.
    // Null: callers show certificates only. Outlives this.
    security::TokenAuthenticator* tokens = nullptr;
    absl::Duration find_hubs_interval = absl::Seconds(5);
  };
  // `on_switched`: somebody has enabled or disabled that device.
  static absl::StatusOr<std::unique_ptr<ApiServer>> Create(
      Options options, StoreSet& stores, kubeclient::Client& client,
      std::unique_ptr<cloudspoke::HubSource> hubs,
      std::function<void(const DeviceName& device)> on_switched, Clock& clock,
      DeviceControllerMetrics& metrics, metrics::Registry& registry, log::Logger log);
  ~ApiServer();  // Drain(now).
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  std::string address() const;
  // The record of the device changed, or is gone.
  void Publish(const DeviceName& device);
  // Whether all such changes come here: then watches are served.
  void SetFollowing(bool following);
  // New calls are refused, open ones have until the deadline. Idempotent.
  void Drain(absl::Time deadline);

 private:
  struct Parts;
  explicit ApiServer(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_API_SERVER_H_
