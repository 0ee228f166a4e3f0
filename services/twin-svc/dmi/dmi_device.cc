#include "services/twin-svc/dmi/dmi_device.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/json/json_reader.h"
#include "services/twin-svc/dmi/custom_values.h"
#include "services/twin-svc/dmi/push_method.h"

namespace skerry::twin {
namespace {

constexpr char kReason[] = "DEVICE_INVALID";

// Properties of a model by name; of several of one name the first counts.
using ModelProperties = std::map<std::string, JsonReader>;

ModelProperties PropertiesOf(const JsonReader& model_spec) {
  ModelProperties out;
  model_spec.Each("properties",
                  [&](const JsonReader& property) { out.emplace(property.Str("name"), property); });
  return out;
}

void FillDesired(const JsonReader& json, v1beta1::TwinProperty& out) {
  out.set_value(json.Str("value"));
  for (auto& [key, value] : json.StringMap("metadata")) (*out.mutable_metadata())[key] = value;
}

// Adds what `out` does not have yet.
void AddVisitors(const JsonReader& json, v1beta1::VisitorConfig& out) {
  if (out.protocolname().empty()) out.set_protocolname(json.Str("protocolName"));
  AddMissingValues(json.Object("configData"), *out.mutable_configdata()->mutable_data());
}

void FillProperty(const JsonReader& json, v1beta1::DeviceProperty& out) {
  out.set_name(json.RequiredStr("name"));
  FillDesired(json.Object("desired"), *out.mutable_desired());
  AddVisitors(json.Object("visitors"), *out.mutable_visitors());
  out.set_reportcycle(json.Int64("reportCycle"));
  out.set_collectcycle(json.Int64("collectCycle"));
  out.set_reporttocloud(json.Bool("reportToCloud"));
  if (const JsonReader push = json.Object("pushMethod"); push.present())
    *out.mutable_pushmethod() = PushMethodToDmi(push);
}

void FillProtocol(const JsonReader& json, v1beta1::ProtocolConfig& out) {
  out.set_protocolname(json.Str("protocolName"));
  AddMissingValues(json.Object("configData"), *out.mutable_configdata()->mutable_data());
}

void FillMethod(const JsonReader& json, v1beta1::DeviceMethod& out) {
  out.set_name(json.Str("name"));
  out.set_description(json.Str("description"));
  for (std::string& name : json.Strings("propertyNames")) out.add_propertynames(std::move(name));
}

// Works for devices and models.
template <typename Message>
void FillIdentity(const JsonReader& json, Message& out) {
  const JsonReader metadata = json.Object("metadata");
  out.set_name(metadata.RequiredStr("name"));
  out.set_namespace_(metadata.RequiredStr("namespace"));
}

void FillModelProperty(const JsonReader& json, v1beta1::ModelProperty& out) {
  out.set_name(json.RequiredStr("name"));
  out.set_description(json.Str("description"));
  out.set_type(json.Str("type"));
  out.set_accessmode(json.Str("accessMode"));
  out.set_minimum(json.Str("minimum"));
  out.set_maximum(json.Str("maximum"));
  out.set_unit(json.Str("unit"));
}

}  // namespace

absl::StatusOr<v1beta1::Device> OwnToDmi(const nlohmann::json& device) {
  absl::Status status;
  const JsonReader json(device, kReason, status);
  const JsonReader spec = json.Object("spec");

  v1beta1::Device out;
  FillIdentity(json, out);
  v1beta1::DeviceSpec& out_spec = *out.mutable_spec();
  out_spec.set_devicemodelreference(spec.Object("deviceModelRef").RequiredStr("name"));
  FillProtocol(spec.Object("protocol"), *out_spec.mutable_protocol());
  spec.Each("properties", [&](const JsonReader& property) {
    FillProperty(property, *out_spec.add_properties());
  });
  spec.Each("methods",
            [&](const JsonReader& method) { FillMethod(method, *out_spec.add_methods()); });
  const JsonReader report = spec.Object("stateReport");
  out.mutable_status()->set_reporttocloud(report.Bool("reportToCloud"));
  out.mutable_status()->set_reportcycle(report.Int64("reportCycle"));
  if (!status.ok()) return status;
  return out;
}

absl::Status AddDefaults(const nlohmann::json& model, v1beta1::Device& device) {
  absl::Status status;
  const JsonReader spec = JsonReader(model, kReason, status).Object("spec");
  v1beta1::DeviceSpec& out = *device.mutable_spec();
  AddMissingValues(spec.Object("protocolConfigData"),
                   *out.mutable_protocol()->mutable_configdata()->mutable_data());
  const ModelProperties defaults = PropertiesOf(spec);
  for (v1beta1::DeviceProperty& property : *out.mutable_properties()) {
    const auto it = defaults.find(property.name());
    if (it == defaults.end()) continue;
    AddVisitors(it->second.Object("visitors"), *property.mutable_visitors());
  }
  return status.ok() ? status : Annotate(status, "device model");
}

absl::StatusOr<v1beta1::Device> ToDmi(const nlohmann::json& device, const nlohmann::json& model) {
  SKERRY_ASSIGN_OR_RETURN(v1beta1::Device out, OwnToDmi(device));
  SKERRY_RETURN_IF_ERROR(AddDefaults(model, out));
  return out;
}

absl::StatusOr<v1beta1::DeviceModel> ModelToDmi(const nlohmann::json& model) {
  absl::Status status;
  const JsonReader json(model, kReason, status);
  v1beta1::DeviceModel out;
  FillIdentity(json, out);
  v1beta1::DeviceModelSpec& spec = *out.mutable_spec();
  json.Object("spec").Each("properties", [&](const JsonReader& property) {
    FillModelProperty(property, *spec.add_properties());
  });
  if (!status.ok()) return status;
  return out;
}

}  // namespace skerry::twin
