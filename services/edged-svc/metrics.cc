#include "services/edged-svc/metrics.h"

namespace skerry::edged {
namespace {

constexpr const char* kOperations[] = {
    "status",          "run_sandbox",    "stop_sandbox",     "remove_sandbox", "create_container",
    "start_container", "stop_container", "remove_container", "exec",           "reopen_log",
    "find_image",      "pull_image",     "list_images",      "remove_image",   "image_folder",
    "open_stream"};
constexpr const char* kProbes[] = {"startup", "liveness", "readiness"};
constexpr const char* kProbeResults[] = {"ok", "failed", "unknown"};
constexpr const char* kEventResults[] = {"recorded", "suppressed", "dropped", "stored", "refused"};
constexpr const char* kPhases[] = {"Pending", "Running", "Succeeded", "Failed"};

}  // namespace

EdgedMetrics::EdgedMetrics(metrics::Registry& registry)
    : restarts_(
          registry.Counter("skerry_edged_container_restarts_total", "Containers started again")),
      refused_(registry.Counter("skerry_edged_objects_refused_total",
                                "Objects from the store that can't be used")),
      store_repairs_(registry.Counter("skerry_edged_store_repairs_total",
                                      "Damaged files that were set aside and made anew")),
      probes_late_(registry.Counter("skerry_edged_probes_late_total",
                                    "Probes that began more than a second after their time")),
      images_removed_bytes_(registry.Counter("skerry_edged_images_removed_bytes_total",
                                             "Sizes of unused images that were removed")),
      image_disk_capacity_(registry.Gauge("skerry_edged_image_disk_capacity_bytes",
                                          "Size of the file system that images are on")),
      image_disk_available_(
          registry.Gauge("skerry_edged_image_disk_available_bytes", "What is free of it")) {
  for (const char* probe : kProbes) {
    for (const char* result : kProbeResults)
      probes_[{probe, result}] =
          &registry.Counter("skerry_edged_probes_total", "Probes of containers",
                            {{"probe", probe}, {"result", result}});
  }
  for (const char* operation : kOperations) {
    operations_[operation] = {
        CountResults(registry, "skerry_edged_runtime_operations_total",
                     "Calls to the container runtime", {{"operation", operation}}),
        &registry.Histogram("skerry_edged_runtime_operation_seconds",
                            "Time until the container runtime answered", metrics::LatencyBounds(),
                            {{"operation", operation}})};
  }
  for (const char* result : kEventResults)
    events_[result] =
        &registry.Counter("skerry_edged_events_total", "Kubernetes Events of pods and of the node",
                          {{"result", result}});
  relist_ = {CountResults(registry, "skerry_edged_relists_total", "Lists of what runs"),
             &registry.Histogram("skerry_edged_relist_seconds", "Time to list what runs",
                                 metrics::LatencyBounds())};
  reports_ =
      CountResults(registry, "skerry_edged_reports_total", "Reports handed to edge-meta-svc");
  log_rotations_ =
      CountResults(registry, "skerry_edged_log_rotations_total", "Container logs rotated");
  log_compressions_ = CountResults(registry, "skerry_edged_log_compressions_total",
                                   "Rotated container logs compressed");
  images_removed_ = CountResults(registry, "skerry_edged_images_removed_total",
                                 "Unused images removed because the disk was full");
  for (const char* phase : kPhases)
    pods_[phase] =
        &registry.Gauge("skerry_edged_pods", "Pods on this box by phase", {{"phase", phase}});
}

EdgedMetrics::Results EdgedMetrics::CountResults(metrics::Registry& registry,
                                                 absl::string_view name, absl::string_view help,
                                                 const metrics::Labels& labels) {
  metrics::Labels ok = labels, failed = labels;
  ok["result"] = "ok";
  failed["result"] = "error";
  return {&registry.Counter(name, help, ok), &registry.Counter(name, help, failed)};
}

void EdgedMetrics::RuntimeOperation(absl::string_view operation, bool ok, absl::Duration latency) {
  const auto it = operations_.find(std::string(operation));
  if (it == operations_.end()) return;
  it->second.results.Add(ok);
  it->second.seconds->Observe(absl::ToDoubleSeconds(latency));
}

void EdgedMetrics::Relisted(bool ok, absl::Duration latency) {
  relist_.results.Add(ok);
  relist_.seconds->Observe(absl::ToDoubleSeconds(latency));
}

void EdgedMetrics::SetPods(const std::map<std::string, int>& by_phase) {
  for (auto& [phase, gauge] : pods_) {
    const auto it = by_phase.find(phase);
    gauge->Set(it == by_phase.end() ? 0 : it->second);
  }
}

void EdgedMetrics::ContainerRestarted() { restarts_.Increment(); }
void EdgedMetrics::ObjectRefused() { refused_.Increment(); }
void EdgedMetrics::StoreRepaired() { store_repairs_.Increment(); }
void EdgedMetrics::ReportSent(bool ok) { reports_.Add(ok); }
void EdgedMetrics::ProbeLate() { probes_late_.Increment(); }

void EdgedMetrics::Probed(absl::string_view probe, absl::string_view result) {
  const auto it = probes_.find({std::string(probe), std::string(result)});
  if (it != probes_.end()) it->second->Increment();
}

void EdgedMetrics::Events(absl::string_view result, size_t count) {
  const auto it = events_.find(std::string(result));
  if (it != events_.end()) it->second->Increment(static_cast<double>(count));
}

void EdgedMetrics::LogRotated(bool ok) { log_rotations_.Add(ok); }
void EdgedMetrics::LogCompressed(bool ok) { log_compressions_.Add(ok); }

void EdgedMetrics::ImageRemoved(bool ok, int64_t bytes) {
  images_removed_.Add(ok);
  if (ok) images_removed_bytes_.Increment(static_cast<double>(bytes));
}

void EdgedMetrics::SetImageDisk(int64_t capacity_bytes, int64_t available_bytes) {
  image_disk_capacity_.Set(static_cast<double>(capacity_bytes));
  image_disk_available_.Set(static_cast<double>(available_bytes));
}

}  // namespace skerry::edged
