// The way down: Devices and DeviceModels become what the nodes hold.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DOWNSTREAM_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DOWNSTREAM_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/device-controller-svc/core/interest.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/cloudspoke/pusher.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeclient/event_recorder.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// Owns the interest index and tells the pusher what changed; all of it lives on the executor. Its
// methods wait for the executor (so a long list can't pile up there) and are not called on it.
// References outlive it.
class Downstream final : private cloudspoke::PushSource {
 public:
  using Cache =
      std::function<std::optional<KubeObject>(absl::string_view type, absl::string_view key)>;
  using IsDisabled = std::function<bool(const std::string& device)>;

  Downstream(exec::SerialExecutor& executor, Cache cache, IsDisabled is_disabled,
             kubeclient::EventRecorder& events, cloudspoke::HubMetrics& metrics, log::Logger log);

  // From informers, after their cache changed.
  void DeviceUpserted(const KubeObject& device);
  void DeviceDeleted(const KubeObject& device);
  void ModelChanged(const std::string& key);
  // What `is_disabled` says of it may be another thing than before.
  void SwitchChanged(const std::string& device);

  cloudspoke::Pusher& pusher() { return pusher_; }

 private:
  bool Needs(const std::string& node, const std::string& type,
             const std::string& key) const override;
  std::vector<std::string> KeysNeeded(const std::string& node,
                                      const std::string& type) const override;
  std::optional<cloudspoke::Desired> Lookup(const std::string& node, const std::string& type,
                                            const std::string& key) const override;
  void Refused(const std::string& node, const std::string& type, const std::string& key,
               const std::string& why) override;
  void TooLarge(const std::string& node, const KubeObject& object, size_t bytes_max) override;

  void Apply(const std::vector<Interest::Change>& changes);
  void TouchAll(const std::string& type, const std::string& key);

  exec::SerialExecutor& executor_;
  const Cache cache_;
  const IsDisabled is_disabled_;
  kubeclient::EventRecorder& events_;
  Interest interest_;
  cloudspoke::Pusher pusher_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DOWNSTREAM_H_
