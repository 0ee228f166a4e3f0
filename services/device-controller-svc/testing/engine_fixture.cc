#include "services/device-controller-svc/testing/engine_fixture.h"

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/log/logger.h"

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;

constexpr int64_t kSeconds = 1'767'225'600;

}  // namespace

EngineFixture::EngineFixture() : stores_(std::make_unique<BreakingStores>(dir_.path(), clock_)) {
  options_.instance = "test";
  options_.find_hubs_interval = absl::Milliseconds(20);
  options_.twins.backoff_max = absl::Milliseconds(50);
  options_.readings.backoff_max = absl::Milliseconds(50);
  options_.devices.backoff_max = absl::Milliseconds(50);
  options_.devices.refresh_interval = absl::Milliseconds(20);
}

EngineFixture::~EngineFixture() { engine_.reset(); }

void EngineFixture::Start() {
  if (hubs_.Find().empty()) hubs_.Set({hub_->address()});
  engine_ = std::make_unique<Engine>(
      options_, api_, hubs_, Stores{stores_->registry(), stores_->twins(), stores_->telemetry()},
      Engine::Listener{
          .on_synced = [] {}, .on_hubs = [](size_t) {}, .on_record = [](const DeviceName&) {}},
      clock_, metrics_, log::Logger::Null());
  engine_->Start();
}

void EngineFixture::StartAttached() {
  Start();
  ASSERT_TRUE(hub_->AwaitAttached());
}

void EngineFixture::Restart() {
  const int before = hub_->attachments();
  engine_.reset();
  Start();
  ASSERT_TRUE(Await([&] { return hub_->attachments() > before; }));
}

std::string EngineFixture::Device(const std::string& name, const std::string& node,
                                  const std::string& model,
                                  const std::map<std::string, std::string>& desired) {
  json properties = json::array();
  for (const auto& [property, value] : desired) {
    properties.push_back({{"name", property}});
    if (!value.empty()) properties.back()["desired"] = {{"value", value}};
  }
  json device = {{"apiVersion", "devices.kubeedge.io/v1beta1"},
                 {"kind", "Device"},
                 {"metadata", {{"namespace", "ns"}, {"name", name}}},
                 {"spec",
                  {{"deviceModelRef", {{"name", model}}},
                   {"protocol", {{"protocolName", "virtual"}}},
                   {"properties", properties}}}};
  if (!node.empty()) device["spec"]["nodeName"] = node;
  return device.dump();
}

std::string EngineFixture::Model(const std::string& name, const std::string& retention) {
  json model = {
      {"apiVersion", "devices.kubeedge.io/v1beta1"},
      {"kind", "DeviceModel"},
      {"metadata", {{"namespace", "ns"}, {"name", name}}},
      {"spec",
       {{"protocol", "virtual"},
        {"properties",
         json::array({{{"name", "temp"}, {"type", "INT"}, {"accessMode", "ReadWrite"}}})}}}};
  if (!retention.empty()) model["metadata"]["annotations"][kRetentionAnnotation] = retention;
  return model.dump();
}

std::string EngineFixture::TwinReport(const std::string& name, const std::string& uid,
                                      const std::map<std::string, std::string>& reported) {
  twin::v1::TwinReport report;
  twin::v1::Twin& twin = *report.mutable_twin();
  twin.set_name(absl::StrCat("namespaces/ns/devices/", name, "/twin"));
  twin.set_uid(uid);
  for (const auto& [property, value] : reported) {
    twin::v1::Property& to = (*twin.mutable_properties())[property];
    to.set_declared(true);
    to.mutable_reported()->set_value(value);
    to.mutable_reported()->set_writer("mapper");
    to.mutable_reported()->mutable_write_time()->set_seconds(kSeconds);
  }
  twin.mutable_state()->set_state("online");
  twin.mutable_state()->mutable_last_seen_time()->set_seconds(kSeconds);
  return report.SerializeAsString();
}

std::string EngineFixture::Readings(const std::string& uid,
                                    const std::vector<std::string>& values) {
  twin::v1::Readings readings;
  readings.set_uid(uid);
  for (const std::string& value : values) {
    twin::v1::Reading& reading = *readings.add_readings();
    reading.set_property("temp");
    reading.set_value(value);
    reading.mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
  }
  return readings.SerializeAsString();
}

std::string EngineFixture::UidOf(const std::string& name) const {
  return api_.Peek(Devices(), "ns/" + name)->uid();
}

void EngineFixture::Report(const std::string& node, uint64_t epoch, uint64_t sequence,
                           const std::string& name,
                           const std::map<std::string, std::string>& reported) {
  hub_->Report(node, epoch, sequence, UpstreamTwins::kType, "ns/" + name,
               TwinReport(name, UidOf(name), reported));
}

void EngineFixture::SendReadings(const std::string& node, uint64_t epoch, uint64_t sequence,
                                 const std::string& name, const std::vector<std::string>& values) {
  SendEvent(node, epoch, sequence, "ns/" + name, Readings(UidOf(name), values));
}

void EngineFixture::SendEvent(const std::string& node, uint64_t epoch, uint64_t sequence,
                              const std::string& key, const std::string& value) {
  cloudhub::v1::HubFrame frame;
  auto* events = frame.mutable_events();
  events->mutable_session()->set_node(node);
  events->mutable_session()->set_epoch(epoch);
  events->set_stream(UpstreamReadings::kStream);
  auto* event = events->add_events();
  event->set_sequence(sequence);
  event->set_key(key);
  event->set_value(value);
  hub_->Send(std::move(frame));
}

json EngineFixture::StatusOf(const std::string& name) const {
  const std::optional<KubeObject> object = api_.Peek(DeviceStatuses(), "ns/" + name);
  return object.has_value() ? object->Json()["status"] : json();
}

std::string EngineFixture::Twin(const std::string& name, TwinSide side) {
  const auto entries = stores_->twins().Current(*DeviceName::Make("ns", name));
  if (!entries.ok()) return entries.status().ToString();
  std::string text;
  for (const TwinEntry& entry : *entries) {
    if (entry.side == side && entry.value.has_value())
      absl::StrAppend(&text, entry.property, "=", *entry.value, " ");
  }
  return text;
}

std::string EngineFixture::Telemetry(const std::string& name) {
  const auto readings = stores_->telemetry().Query(*DeviceName::Make("ns", name),
                                                   {.property = "temp", .count_max = 1000});
  if (!readings.ok()) return readings.status().ToString();
  std::string text;
  for (const Reading& reading : *readings) absl::StrAppend(&text, reading.value, " ");
  return text;
}

bool EngineFixture::Await(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

bool EngineFixture::HasMetric(const std::string& line) const {
  return absl::StrContains(registry_.Render(), line + "\n");
}

bool EngineFixture::AwaitEvent(const std::string& name, const std::string& reason) {
  return Await([&] {
    const auto events = api_.List(kubeclient::Events(), "ns", {});
    for (const KubeObject& event : events->items) {
      const json e = event.Json();
      if (e["involvedObject"]["name"] == name && e["reason"] == reason) return true;
    }
    return false;
  });
}

}  // namespace skerry::devicecontroller
