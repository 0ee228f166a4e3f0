// Who may call what of this service's API.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_POLICY_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_POLICY_H_

#include "services/lib/security/method_policy.h"

namespace skerry::devicecontroller {

// For rpc::UseTls.
security::MethodPolicy DevicePolicy();

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_POLICY_H_
