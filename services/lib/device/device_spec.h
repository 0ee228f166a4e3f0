// Devices and device models as Kubernetes has them (devices.kubeedge.io/v1beta1), as values.
#ifndef SKERRY_SERVICES_LIB_DEVICE_DEVICE_SPEC_H_
#define SKERRY_SERVICES_LIB_DEVICE_DEVICE_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/model/names.h"

namespace skerry::device {

// Of a device or a model, as of a twin; as many methods.
constexpr size_t kPropertiesMax = 1000;

struct DesiredValue {
  std::string value;  // Never empty.
  std::map<std::string, std::string> metadata;

  bool operator==(const DesiredValue&) const = default;
};

struct PropertySpec {
  std::string name;
  // None also where its value is empty: KubeEdge's own clients write {"value": ""} for a property
  // of which they desire nothing, and its edge takes it so.
  std::optional<DesiredValue> desired;
  bool report_to_cloud = false;
  absl::Duration report_cycle;  // Zero: the mapper's own, as a rule a second.
  absl::Duration collect_cycle;

  bool operator==(const PropertySpec&) const = default;
};

struct MethodSpec {
  std::string name;
  std::string description;
  std::vector<std::string> property_names;  // Not checked, as in KubeEdge.

  bool operator==(const MethodSpec&) const = default;
};

struct DeviceSpec {
  DeviceName name;
  std::string uid;         // Empty and 0 in a manifest that no API server has taken.
  int64_t generation = 0;  // Of the spec.
  std::map<std::string, std::string> labels;
  std::optional<NodeName> node;  // None: not bound.
  ObjectKey model;               // Of the device's namespace.
  std::string protocol;          // Its name. Empty: no mapper is told of the device.
  std::vector<PropertySpec> properties;
  std::vector<MethodSpec> methods;

  // The label of that name, from which KubeEdge takes it.
  absl::string_view description() const;

  bool operator==(const DeviceSpec&) const = default;
};

struct ModelSpec {
  ObjectKey name;
  std::string protocol;
  std::vector<PropertyModel> properties;  // Each has passed CheckModel.
};

// These compute on values only and may be called from any thread. The objects come from a parser,
// which has checked that their text is UTF-8, and the caller has bounded their size.
//
// Whatever the shape of an object is, nothing throws: INVALID_ARGUMENT / DEVICE_INVALID or
// MODEL_INVALID, with the field's path, what it is and what it should be. That is a field of the
// wrong type, a name that is none, a property that is there twice, more than kPropertiesMax of
// them, and a negative cycle. Null is as absent, and fields that are not read are passed over.
absl::StatusOr<DeviceSpec> ParseDevice(const nlohmann::json& device);

// A property needs a type. Without an accessMode it is ReadWrite: the CRD lets it be absent, and
// KubeEdge's mappers write whatever is not ReadOnly.
absl::StatusOr<ModelSpec> ParseModel(const nlohmann::json& model);

// Whether KubeEdge takes it for a property's name: 1 to 128 of letters, digits and -_.,:/@#
bool IsPropertyName(absl::string_view text);

}  // namespace skerry::device

#endif  // SKERRY_SERVICES_LIB_DEVICE_DEVICE_SPEC_H_
