// What of a Device object the controller goes by, whether the object is valid or not.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DEVICE_FIELDS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DEVICE_FIELDS_H_

#include <cstdint>
#include <set>
#include <string>

#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// Empty where it is absent or of another type.
struct DeviceFields {
  std::string node;
  std::string model;      // Its name; it is of the device's namespace.
  std::string model_key;  // "namespace/name".
  std::string protocol;
  int64_t generation = 0;
};
DeviceFields FieldsOf(const KubeObject& device);

// Names in spec.properties, whatever else is said of them.
std::set<std::string> DeclaredProperties(const KubeObject& device);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DEVICE_FIELDS_H_
