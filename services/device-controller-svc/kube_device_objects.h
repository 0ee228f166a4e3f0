// Device objects in the Kubernetes API, as this service's API writes them.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_KUBE_DEVICE_OBJECTS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_KUBE_DEVICE_OBJECTS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/device-controller-svc/service/device_objects.h"
#include "services/lib/base/clock.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/model/kube_object.h"
#include "services/lib/rpc/call_scope.h"

namespace skerry::devicecontroller {

// Reads, changes and writes with the resourceVersion that was read, up to 5 times. Who wrote which
// desired value is kept beside it, in an annotation (core/desired_plan.h). Any thread may call it;
// calls block.
class KubeDeviceObjects final : public DeviceObjects {
 public:
  KubeDeviceObjects(kubeclient::Client& client, Clock& clock) : client_(client), clock_(clock) {}

  absl::StatusOr<WrittenObject> CreateOrUpdate(const nlohmann::json& device,
                                               const std::string& writer,
                                               const rpc::CallScope& scope) override;
  absl::StatusOr<WrittenObject> SetDesired(const DesiredChange& change,
                                           const rpc::CallScope& scope) override;

 private:
  // DEADLINE_EXCEEDED where none is left.
  absl::StatusOr<kubeclient::CallOptions> Call(const rpc::CallScope& scope) const;
  absl::StatusOr<WrittenObject> Update(const KubeObject& present, const nlohmann::json& wanted,
                                       const rpc::CallScope& scope);

  kubeclient::Client& client_;
  Clock& clock_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_KUBE_DEVICE_OBJECTS_H_
