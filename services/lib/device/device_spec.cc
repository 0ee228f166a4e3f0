#include "services/lib/device/device_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/json/json_reader.h"

namespace skerry::device {
namespace {

constexpr size_t kNameMax = 128;
constexpr char kGiveName[] = "give 1 to 128 of letters, digits and -_.,:/@#";

// Names in errors: neither their length nor their bytes may spoil a log.
std::string Shown(absl::string_view text) {
  return absl::StrCat(absl::CHexEscape(text.substr(0, kNameMax)),
                      text.size() > kNameMax ? "..." : "");
}

// What the rules of one kind of text say, with the reason of the whole document.
absl::Status WithReason(absl::Status status, absl::string_view reason) {
  if (status.ok()) return status;
  ErrorInfo info = GetErrorInfo(status);
  info.reason = std::string(reason);
  SetErrorInfo(status, info);
  return status;
}

// The rules of one kind of text do not know where in a document it stood.
template <typename T>
absl::StatusOr<T> In(absl::string_view place, absl::StatusOr<T> out) {
  if (!out.ok()) return Annotate(out.status(), place);
  return out;
}

std::string At(absl::string_view list, size_t index, absl::string_view field) {
  return absl::StrCat("spec.", list, "[", index, "].", field);
}

absl::Status CheckCount(absl::string_view list, size_t count) {
  if (count <= kPropertiesMax) return absl::OkStatus();
  return InvalidField(absl::StrCat("spec.", list), absl::StrCat("a list of ", count),
                      absl::StrCat("give at most ", kPropertiesMax));
}

// Works for PropertySpec and PropertyModel.
template <typename Property>
absl::Status CheckNames(const std::vector<Property>& properties) {
  SKERRY_RETURN_IF_ERROR(CheckCount("properties", properties.size()));
  std::map<absl::string_view, size_t> indexes;
  for (size_t i = 0; i < properties.size(); ++i) {
    const std::string& name = properties[i].name;
    if (!IsPropertyName(name))
      return InvalidField(At("properties", i, "name"), Shown(name), kGiveName);
    const auto [it, added] = indexes.emplace(name, i);
    if (added) continue;
    return InvalidField(
        At("properties", i, "name"), name,
        absl::StrCat("spec.properties[", it->second, "] has it already; name a property once"));
  }
  return absl::OkStatus();
}

absl::Status CheckCycle(size_t index, absl::string_view field, absl::Duration cycle) {
  if (cycle >= absl::ZeroDuration()) return absl::OkStatus();
  return InvalidField(At("properties", index, field), absl::StrCat(cycle / absl::Milliseconds(1)),
                      "give milliseconds from 0; 0 leaves it to the mapper");
}

absl::Status CheckFields(const std::vector<PropertySpec>& properties,
                         const std::vector<MethodSpec>& methods) {
  SKERRY_RETURN_IF_ERROR(CheckNames(properties));
  for (size_t i = 0; i < properties.size(); ++i) {
    SKERRY_RETURN_IF_ERROR(CheckCycle(i, "reportCycle", properties[i].report_cycle));
    SKERRY_RETURN_IF_ERROR(CheckCycle(i, "collectCycle", properties[i].collect_cycle));
  }
  return CheckCount("methods", methods.size());
}

std::optional<DesiredValue> ReadDesired(const JsonReader& json) {
  DesiredValue out{json.Str("value"), json.StringMap("metadata")};
  if (out.value.empty()) return std::nullopt;
  return out;
}

PropertySpec ReadProperty(const JsonReader& json) {
  return {.name = json.RequiredStr("name"),
          .desired = ReadDesired(json.Object("desired")),
          .report_to_cloud = json.Bool("reportToCloud"),
          .report_cycle = absl::Milliseconds(json.Int64("reportCycle")),
          .collect_cycle = absl::Milliseconds(json.Int64("collectCycle"))};
}

MethodSpec ReadMethod(const JsonReader& json) {
  return {.name = json.RequiredStr("name"),
          .description = json.Str("description"),
          .property_names = json.Strings("propertyNames")};
}

// A model's property as its texts; they are understood when the document has been read.
struct ModelText {
  std::string name;
  std::string type;
  std::string access;
  std::string minimum;
  std::string maximum;
  std::string unit;
};

ModelText ReadModelText(const JsonReader& json) {
  return {json.RequiredStr("name"), json.RequiredStr("type"), json.Str("accessMode"),
          json.Str("minimum"),      json.Str("maximum"),      json.Str("unit")};
}

absl::StatusOr<PropertyModel> Understand(const ModelText& text, size_t index) {
  SKERRY_ASSIGN_OR_RETURN(const ValueType type, In(absl::StrCat("spec.properties[", index, "]"),
                                                   ParseValueType(text.type)));
  if (!text.access.empty() && text.access != "ReadWrite" && text.access != "ReadOnly") {
    return InvalidField(At("properties", index, "accessMode"), Shown(text.access),
                        "give ReadWrite or ReadOnly");
  }
  PropertyModel out{text.name,    type,         text.access != "ReadOnly",
                    text.minimum, text.maximum, text.unit};
  SKERRY_RETURN_IF_ERROR(CheckModel(out));
  return out;
}

absl::StatusOr<std::vector<PropertyModel>> Understand(const std::vector<ModelText>& texts) {
  SKERRY_RETURN_IF_ERROR(CheckNames(texts));
  std::vector<PropertyModel> out;
  out.reserve(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    SKERRY_ASSIGN_OR_RETURN(PropertyModel property, Understand(texts[i], i));
    out.push_back(std::move(property));
  }
  return out;
}

struct Identity {
  std::string object_namespace;
  std::string name;
};

Identity ReadIdentity(const JsonReader& metadata) {
  return {metadata.RequiredStr("namespace"), metadata.RequiredStr("name")};
}

absl::StatusOr<DeviceSpec> ReadDevice(const JsonReader& json, const absl::Status& read) {
  const JsonReader metadata = json.Object("metadata");
  const JsonReader spec = json.Object("spec");
  const Identity id = ReadIdentity(metadata);
  const std::string uid = metadata.Str("uid");
  const int64_t generation = metadata.Int64("generation");
  std::map<std::string, std::string> labels = metadata.StringMap("labels");
  const std::string model_name = spec.Object("deviceModelRef").RequiredStr("name");
  const std::string node_name = spec.Str("nodeName");
  const std::string protocol = spec.Object("protocol").Str("protocolName");
  std::vector<PropertySpec> properties;
  spec.Each("properties", [&](const JsonReader& p) { properties.push_back(ReadProperty(p)); });
  std::vector<MethodSpec> methods;
  spec.Each("methods", [&](const JsonReader& m) { methods.push_back(ReadMethod(m)); });
  SKERRY_RETURN_IF_ERROR(read);

  SKERRY_ASSIGN_OR_RETURN(DeviceName name,
                          In("metadata", DeviceName::Make(id.object_namespace, id.name)));
  SKERRY_ASSIGN_OR_RETURN(
      ObjectKey model, In("spec.deviceModelRef", ObjectKey::Make(id.object_namespace, model_name)));
  std::optional<NodeName> node;
  if (!node_name.empty()) {
    SKERRY_ASSIGN_OR_RETURN(node, In("spec.nodeName", NodeName::Parse(node_name)));
  }
  SKERRY_RETURN_IF_ERROR(CheckFields(properties, methods));
  return DeviceSpec{.name = std::move(name),
                    .uid = uid,
                    .generation = generation,
                    .labels = std::move(labels),
                    .node = std::move(node),
                    .model = std::move(model),
                    .protocol = protocol,
                    .properties = std::move(properties),
                    .methods = std::move(methods)};
}

absl::StatusOr<ModelSpec> ReadModel(const JsonReader& json, const absl::Status& read) {
  const JsonReader spec = json.Object("spec");
  const Identity id = ReadIdentity(json.Object("metadata"));
  const std::string protocol = spec.Str("protocol");
  std::vector<ModelText> texts;
  spec.Each("properties", [&](const JsonReader& p) { texts.push_back(ReadModelText(p)); });
  SKERRY_RETURN_IF_ERROR(read);

  SKERRY_ASSIGN_OR_RETURN(ObjectKey name,
                          In("metadata", ObjectKey::Make(id.object_namespace, id.name)));
  SKERRY_ASSIGN_OR_RETURN(std::vector<PropertyModel> properties, Understand(texts));
  return ModelSpec{std::move(name), protocol, std::move(properties)};
}

}  // namespace

absl::string_view DeviceSpec::description() const {
  const auto it = labels.find("description");
  return it == labels.end() ? absl::string_view() : it->second;
}

bool IsPropertyName(absl::string_view text) {
  constexpr absl::string_view kOthers = "-_.,:/@#";
  return !text.empty() && text.size() <= kNameMax &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  kOthers.find(c) != absl::string_view::npos;
         });
}

absl::StatusOr<DeviceSpec> ParseDevice(const nlohmann::json& device) {
  constexpr char kReason[] = "DEVICE_INVALID";
  absl::Status read;
  absl::StatusOr<DeviceSpec> out = ReadDevice(JsonReader(device, kReason, read), read);
  if (!out.ok()) return WithReason(out.status(), kReason);
  return out;
}

absl::StatusOr<ModelSpec> ParseModel(const nlohmann::json& model) {
  constexpr char kReason[] = "MODEL_INVALID";
  absl::Status read;
  absl::StatusOr<ModelSpec> out = ReadModel(JsonReader(model, kReason, read), read);
  if (!out.ok()) return WithReason(out.status(), kReason);
  return out;
}

}  // namespace skerry::device
