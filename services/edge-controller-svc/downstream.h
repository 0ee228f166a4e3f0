// The way down: what the Kubernetes API holds becomes what the nodes hold.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_DOWNSTREAM_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_DOWNSTREAM_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/edge-controller-svc/core/interest.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/cloudspoke/pusher.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeclient/event_recorder.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"

namespace skerry::edgecontroller {

// Owns the interest index and tells the pusher what changed; all of it lives on the executor.
// Methods of the first group come from informers and wait for the executor (so a long list can't
// pile up there); those of the second group are called on the executor. References outlive it.
class Downstream final : private cloudspoke::PushSource {
 public:
  using Cache =
      std::function<std::optional<KubeObject>(absl::string_view type, absl::string_view key)>;

  Downstream(exec::SerialExecutor& executor, Cache cache, kubeclient::EventRecorder& events,
             cloudspoke::HubMetrics& metrics, log::Logger log);

  // From informers, after their cache changed; they wait until it is taken in.
  void PodUpserted(const KubeObject& pod);
  void PodDeleted(const KubeObject& pod);
  void ServiceAccountUpserted(const KubeObject& account);
  void ServiceAccountDeleted(const KubeObject& account);
  void ObjectChanged(absl::string_view type, absl::string_view key);

  // On the executor.
  std::vector<std::string> PodsOfNode(const std::string& node) const;

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
  void TouchAll(const ObjectRef& ref);

  exec::SerialExecutor& executor_;
  const Cache cache_;
  kubeclient::EventRecorder& events_;
  Interest interest_;
  cloudspoke::Pusher pusher_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_DOWNSTREAM_H_
