#include "services/device-controller-svc/kube_device_objects.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/core/desired_plan.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::devicecontroller {
namespace {

using kubeapi::Json;
using Outcome = WrittenObject::Outcome;

// Of those who write at once one wins each time: so many may.
constexpr int kConflictRetries = 32;
constexpr absl::Duration kCallMax = absl::Seconds(10);

// Null where the spec does not name it.
Json* PropertyOf(Json& device, const std::string& name) {
  Json* spec = device.contains("spec") ? &device["spec"] : nullptr;
  if (spec == nullptr || !spec->is_object() || !spec->contains("properties")) return nullptr;
  Json& properties = (*spec)["properties"];
  if (!properties.is_array()) return nullptr;
  for (Json& property : properties) {
    if (kubeapi::StringAt(property, {"name"}) == name) return &property;
  }
  return nullptr;
}

// An empty text is none (KubeEdge's clients write it so).
std::optional<std::string> DesiredOf(const Json* property) {
  if (property == nullptr) return std::nullopt;
  std::string value = kubeapi::StringAt(*property, {"desired", "value"});
  return value.empty() ? std::nullopt : std::make_optional(std::move(value));
}

void SetTo(Json& property, const std::optional<std::string>& value) {
  if (value.has_value()) {
    kubeapi::SetPath(property, {"desired", "value"}, *value);
  } else {
    property.erase("desired");
  }
}

DesiredValues DesiredOfAll(const Json& device) {
  DesiredValues values;
  for (const Json& property : kubeapi::ArrayAt(device, {"spec", "properties"})) {
    const std::string name = kubeapi::StringAt(property, {"name"});
    if (!name.empty()) values[name] = DesiredOf(&property);
  }
  return values;
}

// Names `writer` for each desired value that is another one than before, and forgets properties
// that are not there any more.
void NameWriter(const Json& before, const std::string& writer, Json& after) {
  const DesiredValues old = DesiredOfAll(before);
  const DesiredWriters known = ReadWriters(before);
  DesiredWriters writers;
  for (const auto& [property, value] : DesiredOfAll(after)) {
    const auto was = old.find(property);
    const bool same = was == old.end() ? !value.has_value() : was->second == value;
    if (!same) {
      writers[property] = {writer, value.value_or("")};
    } else if (const auto it = known.find(property); it != known.end()) {
      writers.insert(*it);
    }
  }
  if (writers.empty()) {
    kubeapi::ErasePath(after, {"metadata", "annotations", kWritersAnnotation});
  } else {
    kubeapi::SetPath(after, {"metadata", "annotations", kWritersAnnotation}, WriteWriters(writers));
  }
}

// What `kubectl apply` would write over what is there: what others have put beside it stays.
Json Applied(const Json& present, const Json& device, const std::string& writer) {
  Json after = present;
  for (const char* member : {"labels", "annotations"}) {
    const Json& wanted = kubeapi::ObjectAt(device, {"metadata", member});
    for (const auto& [name, value] : wanted.items()) {
      if (name != kWritersAnnotation) kubeapi::SetPath(after, {"metadata", member, name}, value);
    }
  }
  const Json* spec = kubeapi::FindPath(device, {"spec"});
  after["spec"] = spec == nullptr ? Json::object() : *spec;
  NameWriter(present, writer, after);
  return after;
}

// What the API server says about the object is the caller's to mend; what it says about us is not.
absl::Status Refused(const absl::Status& status) {
  if (!absl::IsNotFound(status) && !absl::IsPermissionDenied(status)) return status;
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("the Kubernetes API refuses the object: ", status.message()))
      .Reason("OBJECT_REFUSED");
}

WrittenObject As(const KubeObject& object, Outcome outcome) {
  return {.outcome = outcome,
          .uid = object.uid(),
          .generation = kubeapi::IntAt(object.Json(), {"metadata", "generation"})};
}

Error Unknown(const DeviceName& device) {
  return Error(absl::StatusCode::kNotFound, absl::StrCat("there is no Device ", device.value()))
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", device.value());
}

absl::Status Contended(const DeviceName& device) {
  return Error(absl::StatusCode::kAborted,
               absl::StrCat("others were quicker ", kConflictRetries, " times to write the Device ",
                            device.value(), "; try again"))
      .Reason("DEVICE_CONTENDED")
      .Meta("device", device.value());
}

absl::Status CheckExpected(const DesiredChange& change, const Json& device) {
  const DesiredWriters writers = ReadWriters(device);
  Json copy = device;
  for (const auto& [property, expected] : change.expected) {
    const std::optional<std::string> there = DesiredOf(PropertyOf(copy, property));
    if (there == expected) continue;
    Error error(absl::StatusCode::kAborted,
                absl::StrCat("the desired value of ", property, " is another one by now, ",
                             there.has_value() ? *there : "none", "; read it and decide anew"));
    error.Reason("DESIRED_CHANGED")
        .Meta("property", property)
        .Meta("writer", WriterOf(writers, property, there.value_or("")));
    if (there.has_value()) error.Meta("value", *there);
    if (const auto it = change.values.find(property);
        it != change.values.end() && it->second.has_value()) {
      error.Meta("refused_value", *it->second);
    }
    return error;
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> WithDesired(const DesiredChange& change, const Json& device) {
  Json after = device;
  for (const auto& [name, value] : change.values) {
    Json* property = PropertyOf(after, name);
    if (property == nullptr && value.has_value()) {
      return Error(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("property ", name, ": spec.properties of the Device ",
                                change.device.value(), " does not name it"))
          .Reason("PROPERTY_UNKNOWN")
          .Meta("property", name);
    }
    if (property != nullptr && DesiredOf(property) != value) SetTo(*property, value);
  }
  return after;
}

}  // namespace

absl::StatusOr<kubeclient::CallOptions> KubeDeviceObjects::Call(const rpc::CallScope& scope) const {
  const absl::Duration left = scope.deadline - clock_.Now();
  if (left <= absl::ZeroDuration())
    return absl::DeadlineExceededError("no time is left to write the Device");
  return kubeclient::CallOptions{.timeout = std::min(left, kCallMax)};
}

absl::StatusOr<WrittenObject> KubeDeviceObjects::CreateOrUpdate(const Json& device,
                                                                const std::string& writer,
                                                                const rpc::CallScope& scope) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName name,
                          DeviceName::Make(kubeapi::StringAt(device, {"metadata", "namespace"}),
                                           kubeapi::StringAt(device, {"metadata", "name"})));
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    SKERRY_ASSIGN_OR_RETURN(kubeclient::CallOptions call, Call(scope));
    const absl::StatusOr<KubeObject> present =
        client_.Get(Devices(), name.device_namespace(), name.name(), call);
    if (absl::IsNotFound(present.status())) {
      const Json empty = {
          {"apiVersion", "devices.kubeedge.io/v1beta1"},
          {"kind", "Device"},
          {"metadata", {{"namespace", name.device_namespace()}, {"name", name.name()}}}};
      SKERRY_ASSIGN_OR_RETURN(call, Call(scope));
      const absl::StatusOr<KubeObject> created =
          client_.Create(Devices(), name.device_namespace(),
                         kubeapi::DumpJson(Applied(empty, device, writer)), call);
      if (absl::IsAlreadyExists(created.status())) continue;
      if (!created.ok()) return Refused(created.status());
      return As(*created, Outcome::kCreated);
    }
    SKERRY_RETURN_IF_ERROR(present.status());
    absl::StatusOr<WrittenObject> written =
        Update(*present, Applied(present->Json(), device, writer), scope);
    if (absl::IsAborted(written.status()) || absl::IsNotFound(written.status())) continue;
    if (!written.ok()) return Refused(written.status());
    return written;
  }
  return Contended(name);
}

absl::StatusOr<WrittenObject> KubeDeviceObjects::SetDesired(const DesiredChange& change,
                                                            const rpc::CallScope& scope) {
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    SKERRY_ASSIGN_OR_RETURN(const kubeclient::CallOptions call, Call(scope));
    const absl::StatusOr<KubeObject> present =
        client_.Get(Devices(), change.device.device_namespace(), change.device.name(), call);
    if (absl::IsNotFound(present.status())) return Unknown(change.device);
    SKERRY_RETURN_IF_ERROR(present.status());
    if (present->uid() != change.uid) {
      return Error(absl::StatusCode::kAborted,
                   absl::StrCat("Device ", change.device.value(), " is another object by now"))
          .Reason("ETAG_MISMATCH")
          .Meta("device", change.device.value());
    }
    const Json before = present->Json();
    SKERRY_RETURN_IF_ERROR(CheckExpected(change, before));
    SKERRY_ASSIGN_OR_RETURN(Json after, WithDesired(change, before));
    if (after != before) NameWriter(before, change.writer, after);
    absl::StatusOr<WrittenObject> written = Update(*present, after, scope);
    if (absl::IsAborted(written.status()) || absl::IsNotFound(written.status())) continue;
    if (!written.ok()) return Refused(written.status());
    return written;
  }
  return Contended(change.device);
}

absl::StatusOr<WrittenObject> KubeDeviceObjects::Update(const KubeObject& present,
                                                        const Json& wanted,
                                                        const rpc::CallScope& scope) {
  if (wanted == present.Json()) return As(present, Outcome::kUnchanged);
  SKERRY_ASSIGN_OR_RETURN(const kubeclient::CallOptions call, Call(scope));
  SKERRY_ASSIGN_OR_RETURN(const KubeObject written,
                          client_.Update(Devices(), present.object_namespace(), present.name(),
                                         kubeapi::DumpJson(wanted), "", call));
  return As(written, Outcome::kUpdated);
}

}  // namespace skerry::devicecontroller
