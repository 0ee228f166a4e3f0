// The way up of readings: the stream "readings" of each node becomes telemetry.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_UPSTREAM_READINGS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_UPSTREAM_READINGS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/event_applier.h"
#include "services/lib/cloudspoke/event_inbox.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// Many events of a node are one transaction, with the place of its stream: each has its effect
// once. Readings of a device count also where it is bound to another node by now (ADR 32): who
// knows its uid has had it. Those of one that is gone are answered as done. OnEvents and
// SessionEnded: any thread. References outlive Stop().
class UpstreamReadings final : private cloudspoke::EventTarget {
 public:
  static constexpr char kStream[] = "readings";

  struct Options {
    size_t workers = 4;
    size_t batch_max = 256;
    size_t bytes_max_per_node = 4u << 20;  // The link has about 1 MiB outstanding.
    absl::Duration backoff_max = absl::Seconds(30);
  };
  using DeviceCache = std::function<std::optional<KubeObject>(const std::string& key)>;
  using Answer = cloudspoke::EventApplier::Answer;

  UpstreamReadings(Options options, DeviceCache devices, TelemetryStore& telemetry,
                   cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                   DeviceControllerMetrics& metrics, log::Logger log);

  void Start() { applier_.Start(); }
  void Stop() { applier_.Stop(); }  // Idempotent.

  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
    applier_.OnEvents(hub, frame);
  }
  void SessionEnded(const std::string& node) { applier_.SessionEnded(node); }

 private:
  struct KnownDevice {
    std::string uid;
    std::string node;
    std::string model_key;
  };
  // One or more events, as they are stored.
  struct Part {
    std::vector<absl::Status> results;  // Of each event: OK, or why it is refused.
    std::vector<std::string> labels;    // What becomes of each, when the rows are stored.
    std::vector<TelemetryRow> rows;
    size_t bytes = 0;
    uint64_t first = 0;
    uint64_t last = 0;
    int64_t elsewhere = 0;
    std::map<std::string, std::optional<KnownDevice>> devices;  // Those that were looked up.
  };

  Applied Apply(const std::string& node, const cloudspoke::EventInbox::Batch& batch) override;
  void Deferred() override;
  // None: it is gone. A batch is of few devices, and to read an object takes long.
  const std::optional<KnownDevice>& Find(const std::string& key, Part& part) const;
  // False: there is no room for it beside the others.
  bool Add(const std::string& node, const cloudspoke::InboxEvent& event, Part& part);
  absl::Status Append(const std::string& node, const std::string& store_id, Part& part);

  const DeviceCache devices_;
  TelemetryStore& telemetry_;
  cloudspoke::Sessions& sessions_;
  DeviceControllerMetrics& metrics_;
  cloudspoke::EventApplier applier_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_UPSTREAM_READINGS_H_
