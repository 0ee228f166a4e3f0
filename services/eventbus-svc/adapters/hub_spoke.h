// eventbus-svc as a spoke of edgehub-svc: user messages go up, publications of the cloud's come
// down.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_HUB_SPOKE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_HUB_SPOKE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/uploader.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/log/logger.h"

namespace skerry::eventbus {

// Any thread may call it. What it is given outlives it.
class HubSpoke final {
 public:
  struct Options {
    std::string address;   // Of edgehub-svc.
    std::string store_id;  // User messages have numbers within it.
    absl::Duration reconnect_max = absl::Seconds(5);
  };
  // A command of type "mqttpublish": `done` once the broker has it, or how it failed.
  using Publish = std::function<void(Publication publication,
                                     absl::AnyInvocable<void(const absl::Status&)> done)>;

  // INVALID_ARGUMENT for an address that is not local.
  static absl::StatusOr<std::unique_ptr<HubSpoke>> Create(const Options& options,
                                                          exec::SerialExecutor& executor,
                                                          Publish publish,
                                                          hubclient::HubClientMetrics& hub_metrics,
                                                          BusMetrics& metrics, log::Logger log);
  ~HubSpoke();  // Stop().

  void Start();
  // Idempotent. Not from the executor.
  void Stop();

  // Stream "usermessages". In order, none larger than may be.
  void Put(const std::vector<WaitingUpload>& uploads, Uploader::PutDone done);

 private:
  HubSpoke(const Options& options, Publish publish, BusMetrics& metrics);
  void OnCommand(hubclient::Command command, hubclient::CommandDone done);

  const Options options_;
  const Publish publish_;
  BusMetrics& metrics_;
  std::unique_ptr<hubclient::HubClient> client_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_HUB_SPOKE_H_
