#include "services/device-controller-svc/core/device_fields.h"

#include <nlohmann/json.hpp>
#include <utility>

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

std::set<std::string> DeclaredProperties(const KubeObject& device) {
  const nlohmann::json json = device.Json();
  std::set<std::string> names;
  const nlohmann::json* properties = kubeapi::FindPath(json, {"spec", "properties"});
  if (properties == nullptr || !properties->is_array()) return names;
  for (const nlohmann::json& property : *properties) {
    std::string name = kubeapi::StringAt(property, {"name"});
    if (!name.empty()) names.insert(std::move(name));
  }
  return names;
}

}  // namespace skerry::devicecontroller
