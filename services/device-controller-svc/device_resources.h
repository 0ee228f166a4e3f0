// Where devices live in the Kubernetes API.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_RESOURCES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_RESOURCES_H_

#include "services/lib/kubeclient/resource.h"

namespace skerry::devicecontroller {

inline kubeclient::Resource Devices() {
  return {"devices.kubeedge.io", "v1beta1", "devices", true};
}
inline kubeclient::Resource DeviceModelResource() {
  return {"devices.kubeedge.io", "v1beta1", "devicemodels", true};
}
inline kubeclient::Resource DeviceStatuses() {
  return {"devices.kubeedge.io", "v1beta1", "devicestatuses", true};
}

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_RESOURCES_H_
