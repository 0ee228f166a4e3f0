#include "services/twin-svc/simulation/device_cloud.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace skerry::twin {
namespace {

constexpr const char* kKeys[] = {"plant/boiler", "yard/gate"};
constexpr const char* kProperties[] = {"a", "b", "c"};

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

Declaration DeviceCloud::Device::ToDeclaration() const {
  Declaration declaration{.uid = uid, .generation = generation};
  for (const auto& [name, value] : desired) {
    Declared& declared = declaration.properties[name];
    if (value.has_value()) declared.desired = Value{.value = *value, .writer = "cloud"};
  }
  return declaration;
}

std::string DeviceCloud::Device::ToJson(const std::string& key) const {
  const std::vector<std::string> parts = absl::StrSplit(key, '/');
  nlohmann::json properties = nlohmann::json::array();
  for (const auto& [name, value] : desired) {
    nlohmann::json property = {{"name", name}};
    if (value.has_value()) property["desired"] = {{"value", *value}};
    properties.push_back(std::move(property));
  }
  if (!readable) properties = "a list, but for this mistake";
  return nlohmann::json({{"apiVersion", "devices.kubeedge.io/v1beta1"},
                         {"kind", "Device"},
                         {"metadata",
                          {{"namespace", parts[0]},
                           {"name", parts[1]},
                           {"uid", uid},
                           {"generation", generation}}},
                         {"spec",
                          {{"nodeName", "edge-1"},
                           {"protocol", {{"protocolName", "modbus"}}},
                           {"deviceModelRef", {{"name", "any"}}},
                           {"properties", std::move(properties)}}}})
      .dump();
}

// ---- Devices ----

void DeviceCloud::ChangeDevice() {
  const std::string key = kKeys[Random(std::size(kKeys))];
  const auto it = devices_.find(key);
  if (it == devices_.end()) {
    return Edit(key, Device{.desired = {{"a", {}}, {"b", {}}}});
  }
  const uint64_t dice = Random(100);
  if (dice < 4) return Delete(key);
  if (dice < 8) {  // Made anew before the node could hear that it was gone.
    Delete(key);
    return Edit(key, Device{.desired = {{"a", absl::StrCat("c", ++last_value_)}, {"b", {}}}});
  }
  Device device = it->second;
  if (dice < 16) {
    device.bound = !device.bound;
  } else if (dice < 22) {
    device.readable = !device.readable;
  }
  return Edit(key, std::move(device));
}

// With one desired value that is another one.
void DeviceCloud::Edit(const std::string& key, Device device) {
  const std::string name = kProperties[Random(std::size(kProperties))];
  const uint64_t dice = Random(100);
  if (dice < 8) {
    device.desired.erase(name);
  } else if (dice < 18) {
    device.desired[name].reset();
  } else if (dice < 30 && generations_.count(device.uid) != 0) {
    // What an earlier manifest had.
    const std::map<int64_t, Device>& former = generations_.at(device.uid);
    if (former.empty()) return;
    auto it = former.begin();
    std::advance(it, Random(former.size()));
    device.desired = it->second.desired;
  } else if (dice < 40 && TwinOf(key) != nullptr && TwinOf(key)->properties().contains(name)) {
    // What people have written on the box.
    device.desired[name] = TwinOf(key)->properties().at(name).desired().value();
    if (device.desired[name]->empty()) device.desired[name].reset();
  } else {
    device.desired[name] = absl::StrCat("c", ++last_value_);
  }
  Put(key, std::move(device));
}

void DeviceCloud::Put(const std::string& key, Device device) {
  device.version = ++last_version_;
  if (device.uid.empty()) device.uid = absl::StrCat("uid-", last_version_);
  ++device.generation;
  if (device.readable) generations_[device.uid][device.generation] = device;
  versions_[device.version] = device;
  if (device.bound) {
    Push({link::Change::Kind::kUpsert, key, absl::StrCat(device.version), device.ToJson(key)});
  } else {
    Push({link::Change::Kind::kDelete, key, "", ""});
  }
  generations_[device.uid];
  devices_[key] = std::move(device);
}

void DeviceCloud::Delete(const std::string& key) {
  devices_.erase(key);
  twins_.erase(key);
  Push({link::Change::Kind::kDelete, key, "", ""});
}

void DeviceCloud::Mend() {
  std::vector<std::string> broken;
  for (const auto& [key, device] : devices_) {
    if (!device.readable) broken.push_back(key);
  }
  for (const std::string& key : broken) {
    Device device = devices_.at(key);
    device.readable = true;
    Put(key, std::move(device));
  }
}

const v1::Twin* DeviceCloud::TwinOf(const std::string& key) const {
  const auto it = twins_.find(key);
  return it == twins_.end() ? nullptr : &it->second.twin;
}

// ---- the controller ----

std::optional<link::cloud::SpokeAttached> DeviceCloud::Spoke() const {
  if (spoke_ == 0) return std::nullopt;
  return link::cloud::SpokeAttached{spoke_, {kDeviceType}, {kTwinType}, {}};
}

void DeviceCloud::Attach() {
  spoke_ = ++last_spoke_;
  simulation_->ToHub(*Spoke());
}

void DeviceCloud::Crash() {
  if (spoke_ == 0) return;
  simulation_->Saw("device controller crash");
  const bool lives = Random(2) == 0;
  for (Item& item : writing_) {
    if (lives) late_.push_back(std::move(item));
  }
  writing_.clear();
  inbox_.clear();
  subscription_.reset();
  simulation_->ToHub(link::cloud::SpokeDetached{std::exchange(spoke_, 0)});
}

void DeviceCloud::Receive(link::SpokeId spoke, uint64_t epoch, link::cloud::SpokeMessage message) {
  if (spoke == spoke_) inbox_.push_back({epoch, std::move(message)});
}

void DeviceCloud::LateWrite() {
  if (late_.empty()) return;
  const Item item = std::move(late_.front());
  late_.pop_front();
  Apply(item.epoch, std::get<link::cloud::NodeReport>(item.message).report);
}

void DeviceCloud::Work() {
  if (!writing_.empty() && Random(20) == 0) {
    const Item item = std::move(writing_.front());
    writing_.pop_front();
    const link::Report& report = std::get<link::cloud::NodeReport>(item.message).report;
    Apply(item.epoch, report);
    simulation_->ToSession(item.epoch,
                           link::cloud::ReportDone{spoke_, report.sequence, absl::OkStatus()});
  } else if (!inbox_.empty()) {
    Item item = std::move(inbox_.front());
    inbox_.pop_front();
    Handle(std::move(item));
  }
}

void DeviceCloud::Handle(Item item) {
  if (std::holds_alternative<link::cloud::NodeDisconnected>(item.message)) {
    subscription_.reset();
  } else if (auto* subscribed = std::get_if<link::cloud::Subscribed>(&item.message)) {
    const link::Subscribe& frame = subscribed->subscribe;
    if (!subscription_.has_value() || subscription_->id != frame.subscription_id ||
        subscription_->epoch != item.epoch) {
      subscription_ = Subscription{item.epoch, frame.subscription_id, {}, false};
    }
    for (const link::Holding& holding : frame.holdings)
      subscription_->holdings[holding.key] = NumberOf(holding.version);
    if (!frame.more) Answer();
  } else if (auto* unsubscribed = std::get_if<link::cloud::Unsubscribed>(&item.message)) {
    if (subscription_.has_value() && subscription_->id == unsubscribed->subscription_id)
      subscription_.reset();
  } else if (std::holds_alternative<link::cloud::NodeReport>(item.message)) {
    writing_.push_back(std::move(item));
  }
}

void DeviceCloud::Push(link::Change change) {
  if (!subscription_.has_value() || !subscription_->answered) return;
  simulation_->ToSession(
      subscription_->epoch,
      link::cloud::Push{spoke_, kDeviceType, subscription_->id, std::move(change)});
}

void DeviceCloud::Answer() {
  subscription_->answered = true;
  const std::map<std::string, uint64_t> holdings = std::move(subscription_->holdings);
  for (const auto& [key, device] : devices_) {
    const auto held = holdings.find(key);
    if (!device.bound || (held != holdings.end() && held->second == device.version)) continue;
    Push({link::Change::Kind::kUpsert, key, absl::StrCat(device.version), device.ToJson(key)});
  }
  for (const auto& [key, version] : holdings) {
    const auto it = devices_.find(key);
    if (it == devices_.end() || !it->second.bound) Push({link::Change::Kind::kDelete, key, "", ""});
  }
  Push({link::Change::Kind::kSynced, "", "", ""});
}

void DeviceCloud::Apply(uint64_t epoch, const link::Report& report) {
  v1::TwinReport message;
  if (!message.ParseFromString(report.value)) return simulation_->Fail("a report does not parse");
  const auto device = devices_.find(report.key);
  if (device == devices_.end() || !device->second.bound ||
      device->second.uid != message.twin().uid()) {
    return simulation_->Saw("report of a former device");
  }
  AppliedTwin& applied = twins_[report.key];
  if (std::pair(epoch, report.sequence) <= std::pair(applied.epoch, applied.sequence))
    return simulation_->Saw("late report");
  CheckNotOlder(report.key, applied.twin, message.twin());
  applied = {epoch, report.sequence, message.twin()};
  for (const auto& [name, property] : applied.twin.properties()) {
    if (property.has_conflict()) simulation_->Saw("conflict seen in the cloud");
    if (property.has_local_desired()) simulation_->Saw("box's desired value seen in the cloud");
  }
}

// D1, in the cloud: every value that was reported is greater than those before.
void DeviceCloud::CheckNotOlder(const std::string& key, const v1::Twin& former,
                                const v1::Twin& twin) {
  if (twin.version() < former.version() || twin.generation() < former.generation())
    simulation_->Fail(absl::StrCat("in the cloud the twin of ", key, " goes back"));
  for (const auto& [name, property] : twin.properties()) {
    const auto it = former.properties().find(name);
    if (it == former.properties().end() || !property.has_reported()) continue;
    if (NumberOf(property.reported().value()) < NumberOf(it->second.reported().value()))
      simulation_->Fail(absl::StrCat("in the cloud ", key, " ", name, " goes back"));
  }
}

}  // namespace skerry::twin
