#include "services/device-controller-svc/metrics.h"

#include "services/lib/base/check.h"

namespace skerry::devicecontroller {
namespace {

template <typename Series>
Series& At(const std::map<std::string, Series*>& series, absl::string_view key) {
  const auto it = series.find(std::string(key));
  SKERRY_CHECK(it != series.end());  // Label values are constants of the code.
  return *it->second;
}

}  // namespace

DeviceControllerMetrics::DeviceControllerMetrics(metrics::Registry& registry)
    : hubs(registry, "skerry_devicecontroller"),
      readings(registry.Counter("skerry_devicecontroller_readings_total",
                                "Readings of devices that were stored.")),
      readings_elsewhere(
          registry.Counter("skerry_devicecontroller_readings_elsewhere_total",
                           "Readings that came from a node that the device is not bound to.")),
      devices_refused(registry.Counter("skerry_devicecontroller_devices_refused_total",
                                       "Devices and models that are not valid.")),
      status_writes(registry.Counter("skerry_devicecontroller_status_writes_total",
                                     "DeviceStatus objects written.")),
      events_dropped(registry.Counter("skerry_devicecontroller_events_dropped_total",
                                      "Kubernetes Events that could not be recorded.")),
      report_controller(registry, "report"),
      event_controller(registry, "event"),
      device_controller(registry, "device"),
      registry_controller(registry, "registry"),
      retention_controller(registry, "retention"),
      devices(registry, "devices"),
      device_models(registry, "devicemodels") {
  for (const char* result : {"applied", "unchanged", "gone", "elsewhere", "fenced", "rejected",
                             "superseded", "deferred"}) {
    reports_[result] =
        &registry.Counter("skerry_devicecontroller_reports_total",
                          "Reports of twins by what became of them.", {{"result", result}});
  }
  for (const char* result : {"appended", "repeated", "gone", "rejected", "deferred"}) {
    stream_events_[result] =
        &registry.Counter("skerry_devicecontroller_stream_events_total",
                          "Events with readings by what became of them.", {{"result", result}});
  }
  for (const char* kind : {"history", "telemetry"}) {
    dropped_[kind] =
        &registry.Counter("skerry_devicecontroller_retention_dropped_total",
                          "Entries that were forgotten because of their age.", {{"kind", kind}});
  }
  for (const char* store : {"telemetry", "twins"}) {
    repairs_[store] =
        &registry.Counter("skerry_devicecontroller_store_repairs_total",
                          "Damaged files that were set aside and made anew.", {{"store", store}});
  }
  for (const char* store : {"registry", "telemetry", "twins"}) {
    sizes_[store] = &registry.Gauge("skerry_devicecontroller_store_bytes",
                                    "Size of the SQLite file of a store; 0 with PostgreSQL.",
                                    {{"store", store}});
    bounds_[store] = &registry.Gauge("skerry_devicecontroller_store_bytes_max",
                                     "The bound of the SQLite file of a store; 0 with PostgreSQL.",
                                     {{"store", store}});
  }
}

prometheus::Counter& DeviceControllerMetrics::Report(absl::string_view result) {
  return At(reports_, result);
}

prometheus::Counter& DeviceControllerMetrics::Event(absl::string_view result) {
  return At(stream_events_, result);
}

prometheus::Counter& DeviceControllerMetrics::RetentionDropped(absl::string_view kind) {
  return At(dropped_, kind);
}

prometheus::Counter& DeviceControllerMetrics::StoreRepairs(absl::string_view store) {
  return At(repairs_, store);
}

void DeviceControllerMetrics::StoreSize(absl::string_view store, int64_t bytes, int64_t bytes_max) {
  At(sizes_, store).Set(static_cast<double>(bytes));
  At(bounds_, store).Set(static_cast<double>(bytes_max));
}

}  // namespace skerry::devicecontroller
