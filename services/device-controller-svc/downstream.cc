#include "services/device-controller-svc/downstream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/core/device_fields.h"

namespace skerry::devicecontroller {

Downstream::Downstream(exec::SerialExecutor& executor, Cache cache, IsDisabled is_disabled,
                       kubeclient::EventRecorder& events, cloudspoke::HubMetrics& metrics,
                       log::Logger log)
    : executor_(executor),
      cache_(std::move(cache)),
      is_disabled_(std::move(is_disabled)),
      events_(events),
      pusher_({.types = {kDeviceModels, kDevices}, .first_removed = kDevices}, executor, *this,
              metrics, std::move(log)) {}

void Downstream::DeviceUpserted(const KubeObject& device) {
  const DeviceFields fields = FieldsOf(device);
  executor_.Run([&] {
    Apply(interest_.SetDevice(device.key(), fields.node, fields.model_key));
    TouchAll(kDevices, device.key());
  });
}

void Downstream::DeviceDeleted(const KubeObject& device) {
  executor_.Run([&] { Apply(interest_.RemoveDevice(device.key())); });
}

void Downstream::ModelChanged(const std::string& key) {
  executor_.Run([&] { TouchAll(kDeviceModels, key); });
}

void Downstream::SwitchChanged(const std::string& device) {
  executor_.Run([&] { Apply(interest_.SetDisabled(device, is_disabled_(device))); });
}

// ---- On the executor.

void Downstream::Apply(const std::vector<Interest::Change>& changes) {
  for (const Interest::Change& change : changes)
    pusher_.Touch(change.node, change.type, change.key);
}

void Downstream::TouchAll(const std::string& type, const std::string& key) {
  for (const std::string& node : interest_.NodesThatNeed(type, key)) pusher_.Touch(node, type, key);
}

bool Downstream::Needs(const std::string& node, const std::string& type,
                       const std::string& key) const {
  return interest_.Needs(node, type, key);
}

std::vector<std::string> Downstream::KeysNeeded(const std::string& node,
                                                const std::string& type) const {
  return interest_.KeysNeeded(node, type);
}

std::optional<cloudspoke::Desired> Downstream::Lookup(const std::string& node,
                                                      const std::string& type,
                                                      const std::string& key) const {
  if (!interest_.Needs(node, type, key)) return std::nullopt;
  std::optional<KubeObject> object = cache_(type, key);
  if (!object.has_value()) return std::nullopt;
  return cloudspoke::Desired{.object = *std::move(object)};
}

void Downstream::Refused(const std::string& node, const std::string& type, const std::string& key,
                         const std::string& why) {
  const std::optional<KubeObject> object = cache_(type, key);
  // Only what the node is allowed to see may be spoken of by it.
  if (!object.has_value() || !interest_.Needs(node, type, key)) return;
  events_.Warn(*object, node, "RejectedByEdge",
               absl::StrCat("Node ", node, " refused this object: ", why));
}

void Downstream::TooLarge(const std::string& node, const KubeObject& object, size_t bytes_max) {
  events_.Warn(object, node, "TooLargeForEdge",
               absl::StrCat("The object has ", object.text().size(), " bytes, at most ", bytes_max,
                            " can be sent to node ", node));
}

}  // namespace skerry::devicecontroller
