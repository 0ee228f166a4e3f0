#include "services/device-controller-svc/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/core/device_fields.h"
#include "services/device-controller-svc/core/interest.h"
#include "services/device-controller-svc/device_resources.h"

namespace skerry::devicecontroller {
namespace {

constexpr char kService[] = "device-controller-svc";
constexpr int kInformers = 2;

}  // namespace

Engine::Engine(Options options, kubeclient::Client& client, cloudspoke::HubSource& hubs,
               Stores stores, Listener listener, Clock& clock, DeviceControllerMetrics& metrics,
               log::Logger log)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      metrics_(metrics),
      log_(log),
      executor_("engine", clock),
      events_(client, kService, clock, metrics.events_dropped, log),
      statuses_(client),
      records_(stores.registry, [this](const DeviceRecords::Change& change) { OnRecord(change); }),
      downstream_(
          executor_,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          [this](const std::string& device) { return records_.IsDisabled(device); }, events_,
          metrics.hubs, log),
      twins_(
          options_.twins, client, [this](const std::string& key) { return devices_.Get(key); },
          records_, stores.twins, models_, statuses_, sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            hubs_.Send(hub, std::move(frame));
          },
          clock, metrics, log),
      readings_(
          options_.readings, [this](const std::string& key) { return devices_.Get(key); },
          stores.telemetry, sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            hubs_.Send(hub, std::move(frame));
          },
          clock, metrics, log),
      keeper_(options_.devices, client,
              {.device = [this](const std::string& key) { return devices_.Get(key); },
               .on_loaded =
                   [this] {
                     log_.Info("registry read, attaching to hubs");
                     listener_.on_synced();
                     hubs_.Start();
                   }},
              records_, stores.twins, models_, statuses_, events_, clock, metrics, log),
      retention_(options_.retention, stores.twins, stores.telemetry, models_, clock, metrics, log),
      hubs_({.spoke = absl::StrCat(kService, "/", options_.instance),
             .resource_types = {kDevices, kDeviceModels},
             .report_types = {UpstreamTwins::kType},
             .event_streams = {UpstreamReadings::kStream},
             .pending_bytes_max = options_.hub_pending_bytes_max,
             .find_interval = options_.find_hubs_interval},
            hubs, executor_, sessions_, downstream_.pusher(), *this, clock, metrics.hubs, log),
      devices_(client, {.resource = Devices()},
               {.on_upsert = [this](const KubeObject& device) { OnDevice(device); },
                .on_delete = [this](const KubeObject& device) { OnDeviceDeleted(device); },
                .on_synced = [this] { executor_.Post([this] { OnInformerSynced(); }); }},
               metrics.devices, log),
      device_models_(client, {.resource = DeviceModelResource()},
                     {.on_upsert = [this](const KubeObject& model) { OnModel(model); },
                      .on_delete = [this](const KubeObject& model) { OnModelDeleted(model); },
                      .on_synced = [this] { executor_.Post([this] { OnInformerSynced(); }); }},
                     metrics.device_models, log) {}

Engine::~Engine() { Stop(); }

void Engine::Start() {
  twins_.Start();
  readings_.Start();
  device_models_.Start();
  devices_.Start();
}

void Engine::Stop() {
  if (std::exchange(stopped_, true)) return;
  // Sources first, then what they feed.
  devices_.Stop();
  device_models_.Stop();
  keeper_.Stop();  // It may begin to look for hubs.
  hubs_.Detach();
  twins_.Stop();
  readings_.Stop();
  retention_.Stop();
  events_.Stop();
  hubs_.Stop();  // After all that a leader does: a name's lookup may take long to fail.
  executor_.Stop();
}

std::optional<KubeObject> Engine::Cached(absl::string_view type, absl::string_view key) const {
  if (type == kDevices) return devices_.Get(key);
  return type == kDeviceModels ? device_models_.Get(key) : std::nullopt;
}

// ---- From informers.

void Engine::OnInformerSynced() {
  if (++informers_synced_ < kInformers) return;
  log_.Info("caches synced, reading the registry");
  keeper_.Start();
  retention_.Start();
}

void Engine::OnDevice(const KubeObject& device) {
  downstream_.DeviceUpserted(device);
  keeper_.DeviceChanged(device.key());
}

void Engine::OnDeviceDeleted(const KubeObject& device) {
  downstream_.DeviceDeleted(device);
  keeper_.DeviceChanged(device.key());
}

void Engine::OnModel(const KubeObject& model) {
  if (const absl::Status fault = models_.Upsert(model); !fault.ok()) {
    metrics_.devices_refused.Increment();
    log_.Warning("DeviceModel refused", fault, {{"model", model.key()}});
    events_.Warn(model, "", "DeviceModelInvalid", fault.message());
  }
  downstream_.ModelChanged(model.key());
}

void Engine::OnModelDeleted(const KubeObject& model) {
  models_.Delete(model.key());
  downstream_.ModelChanged(model.key());
}

// ---- From the registry.

void Engine::OnRecord(const DeviceRecords::Change& change) {
  const DeviceName& name = change.record.object.device;
  if (change.switched) {
    downstream_.SwitchChanged(name.value());
    const std::optional<KubeObject> device = devices_.Get(name.value());
    if (!change.gone && !change.record.enabled && device.has_value()) {
      events_.Warn(*device, FieldsOf(*device).node, "DeviceDisabled",
                   absl::StrCat("An operator has disabled this device, no node gets it: ",
                                change.record.disable_reason));
    }
  }
  listener_.on_record(name);
}

// ---- From hubs.

void Engine::OnNodeConnected(const std::string& node) {
  twins_.SessionEnded(node);  // Reports of the session before come again in this one.
  readings_.SessionEnded(node);
}

void Engine::OnNodeGone(const std::string& node) {
  twins_.SessionEnded(node);
  readings_.SessionEnded(node);
}

void Engine::OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) {
  twins_.OnReport(hub, frame);
}

void Engine::OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
  readings_.OnEvents(hub, frame);
}

void Engine::OnHubs(size_t attached) { listener_.on_hubs(attached); }

}  // namespace skerry::devicecontroller
