#include "services/device-controller-svc/upstream_readings.h"

#include <utility>

#include "services/device-controller-svc/core/device_fields.h"
#include "services/device-controller-svc/wire/twin_values.h"
#include "services/lib/base/error.h"

namespace skerry::devicecontroller {
namespace {

size_t BytesOf(const TelemetryRow& row) {
  return row.device.value().size() + row.model.size() + row.property.size() + row.value.size();
}

}  // namespace

UpstreamReadings::UpstreamReadings(Options options, DeviceCache devices, TelemetryStore& telemetry,
                                   cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                                   DeviceControllerMetrics& metrics, log::Logger log)
    : devices_(std::move(devices)),
      telemetry_(telemetry),
      sessions_(sessions),
      metrics_(metrics),
      applier_({.stream = kStream,
                .workers = options.workers,
                .batch_max = options.batch_max,
                .bytes_max_per_node = options.bytes_max_per_node,
                .backoff_max = options.backoff_max},
               *this, sessions, std::move(answer), clock, metrics.event_controller, metrics.hubs,
               log) {}

void UpstreamReadings::Deferred() { metrics_.Event("deferred").Increment(); }

const std::optional<UpstreamReadings::KnownDevice>& UpstreamReadings::Find(const std::string& key,
                                                                           Part& part) const {
  const auto [it, added] = part.devices.try_emplace(key);
  if (!added) return it->second;
  if (const std::optional<KubeObject> device = devices_(key)) {
    const DeviceFields fields = FieldsOf(*device);
    it->second = KnownDevice{device->uid(), fields.node, fields.model_key};
  }
  return it->second;
}

bool UpstreamReadings::Add(const std::string& node, const cloudspoke::InboxEvent& event,
                           Part& part) {
  const absl::StatusOr<ReportedReadings> readings = ReadReadings(event.key, event.value);
  absl::Status result = readings.status();
  std::string label = "rejected";
  if (readings.ok()) {
    label = "gone";
    const std::optional<KnownDevice>& device = Find(readings->device.value(), part);
    if (device.has_value() && device->uid == readings->uid) {
      label = "appended";
      std::vector<TelemetryRow> rows;
      size_t bytes = 0;
      for (const ReportedReadings::Value& value : readings->values) {
        rows.push_back({.sequence = event.sequence,
                        .device = readings->device,
                        .model = device->model_key,
                        .property = value.property,
                        .time = value.time,
                        .value = value.value});
        bytes += BytesOf(rows.back());
      }
      if (!part.results.empty() && (part.rows.size() + rows.size() > TelemetryStore::kRowsMax ||
                                    part.bytes + bytes > TelemetryStore::kAppendBytesMax)) {
        return false;
      }
      if (device->node != node) part.elsewhere += static_cast<int64_t>(rows.size());
      part.bytes += bytes;
      for (TelemetryRow& row : rows) part.rows.push_back(std::move(row));
    }
  }
  if (part.results.empty()) part.first = event.sequence;
  part.last = event.sequence;
  part.results.push_back(std::move(result));
  part.labels.push_back(std::move(label));
  return true;
}

absl::Status UpstreamReadings::Append(const std::string& node, const std::string& store_id,
                                      Part& part) {
  const absl::StatusOr<AppendedTelemetry> appended = telemetry_.Append({.node = node,
                                                                        .store_id = store_id,
                                                                        .stream = kStream,
                                                                        .first = part.first,
                                                                        .last = part.last},
                                                                       part.rows);
  if (!appended.ok()) return appended.status();
  metrics_.readings.Increment(static_cast<double>(appended->appended));
  metrics_.readings_elsewhere.Increment(static_cast<double>(part.elsewhere));
  for (std::string& label : part.labels) {
    // The stream's place says it of all: a batch that comes again is one that was stored whole.
    if (label == "appended" && appended->appended == 0 && appended->skipped > 0) label = "repeated";
    metrics_.Event(label).Increment();
  }
  return absl::OkStatus();
}

UpstreamReadings::Applied UpstreamReadings::Apply(const std::string& node,
                                                  const cloudspoke::EventInbox::Batch& batch) {
  const std::optional<cloudspoke::Session> session = sessions_.Find(node);
  // They come again in the node's next session.
  if (!session.has_value() || session->epoch != batch.epoch) return {};
  if (session->event_store_id.empty()) {
    return {.results = {},
            .waits = Error(absl::StatusCode::kUnavailable,
                           "the hub does not say which event store these are of: update it")
                         .Reason("EVENT_STORE_UNKNOWN")};
  }
  Part whole;
  for (const cloudspoke::InboxEvent& event : batch.events) {
    if (!Add(node, event, whole)) break;
  }
  absl::Status appended = Append(node, session->event_store_id, whole);
  if (appended.ok()) return {.results = std::move(whole.results), .waits = absl::OkStatus()};
  if (!absl::IsInvalidArgument(appended)) return {.results = {}, .waits = appended};
  // One of them is at fault: each for itself, so that the others are stored.
  Applied applied;
  for (size_t i = 0; i < whole.results.size(); ++i) {
    Part one;
    Add(node, batch.events[i], one);
    appended = Append(node, session->event_store_id, one);
    if (appended.ok()) {
      applied.results.push_back(one.results[0]);
    } else if (absl::IsInvalidArgument(appended)) {
      metrics_.Event("rejected").Increment();
      applied.results.push_back(appended);
    } else {
      applied.waits = appended;
      break;
    }
  }
  return applied;
}

}  // namespace skerry::devicecontroller
