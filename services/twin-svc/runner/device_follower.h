// Tells the desk of the devices that edge-meta-svc holds.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_DEVICE_FOLLOWER_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_DEVICE_FOLLOWER_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/log/logger.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/device_sink.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

inline constexpr char kDevices[] = "devices.devices.kubeedge.io";
inline constexpr char kModels[] = "devicemodels.devices.kubeedge.io";

// The box holds the devices that are bound to it, and their models. One that can't be read stays as
// it was, and is logged: a mistake in a manifest takes no device from its mapper. Used on the meta
// client's executor; references outlive it, and `sink`, which may be null.
class DeviceFollower final : public metaclient::MetaListener {
 public:
  DeviceFollower(TwinDesk& desk, Clock& clock, TwinMetrics& metrics, log::Logger log,
                 std::function<void(bool)> on_connected, DeviceSink* sink = nullptr)
      : desk_(desk),
        clock_(clock),
        metrics_(metrics),
        log_(std::move(log)),
        on_connected_(std::move(on_connected)),
        sink_(sink) {}

  void OnObject(const std::string& type, const std::string& key, const std::string& json) override;
  void OnObjectDeleted(const std::string& type, const std::string& key) override;
  void OnSynced() override;
  void OnConnected(bool connected) override;
  void OnReportSent(bool) override {}  // It hands in none.

 private:
  absl::Status TakeDevice(const DeviceName& name, const std::string& json);
  absl::Status TakeModel(const ObjectKey& name, const std::string& json);
  void ModelChanged(const ObjectKey& name, std::shared_ptr<const Models> models);
  void Declare(const DeviceName& name, const device::DeviceSpec& spec);

  TwinDesk& desk_;
  Clock& clock_;
  TwinMetrics& metrics_;
  const log::Logger log_;
  const std::function<void(bool)> on_connected_;
  DeviceSink* const sink_;
  std::set<DeviceName> bound_;  // Also those that can't be read.
  std::map<DeviceName, device::DeviceSpec> devices_;
  std::map<ObjectKey, std::shared_ptr<const Models>> models_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_DEVICE_FOLLOWER_H_
