#include "services/device-controller-svc/core/device_fields.h"

#include <nlohmann/json.hpp>

#include "services/lib/kubeapi/json.h"

namespace skerry::devicecontroller {

DeviceFields FieldsOf(const KubeObject& device) {
  const nlohmann::json json = device.Json();
  DeviceFields fields{.node = kubeapi::StringAt(json, {"spec", "nodeName"}),
                      .model = kubeapi::StringAt(json, {"spec", "deviceModelRef", "name"}),
                      .model_key = "",
                      .protocol = kubeapi::StringAt(json, {"spec", "protocol", "protocolName"}),
                      .generation = kubeapi::IntAt(json, {"metadata", "generation"})};
  if (!fields.model.empty()) fields.model_key = device.object_namespace() + "/" + fields.model;
  return fields;
}

}  // namespace skerry::devicecontroller
