// edged-svc's own metrics.
#ifndef SKERRY_SERVICES_EDGED_SVC_METRICS_H_
#define SKERRY_SERVICES_EDGED_SVC_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/metrics/registry.h"

namespace skerry::edged {

// Any thread may call it.
class EdgedMetrics {
 public:
  explicit EdgedMetrics(metrics::Registry& registry);

  // operation: one of the names in metrics.cc.
  void RuntimeOperation(absl::string_view operation, bool ok, absl::Duration latency);
  void Relisted(bool ok, absl::Duration latency);
  void SetPods(const std::map<std::string, int>& by_phase);
  void ContainerRestarted();
  void ObjectRefused();
  void StoreRepaired();
  void ReportSent(bool ok);
  void ProbeLate();
  // probe: "startup", "liveness", "readiness". result: "ok", "failed", "unknown".
  void Probed(absl::string_view probe, absl::string_view result);
  // result: "recorded", "suppressed", "dropped", "stored", "refused".
  void Events(absl::string_view result, size_t count);
  void LogRotated(bool ok);
  void LogCompressed(bool ok);
  void ImageRemoved(bool ok, int64_t bytes);
  void SetImageDisk(int64_t capacity_bytes, int64_t available_bytes);

 private:
  struct Results {
    prometheus::Counter* ok;
    prometheus::Counter* failed;

    void Add(bool succeeded) { (succeeded ? ok : failed)->Increment(); }
  };
  struct Operation {
    Results results;
    prometheus::Histogram* seconds;
  };
  static Results CountResults(metrics::Registry& registry, absl::string_view name,
                              absl::string_view help, const metrics::Labels& labels = {});

  std::map<std::string, Operation> operations_;
  std::map<std::string, prometheus::Gauge*> pods_;
  prometheus::Counter& restarts_;
  prometheus::Counter& refused_;
  prometheus::Counter& store_repairs_;
  prometheus::Counter& probes_late_;
  std::map<std::pair<std::string, std::string>, prometheus::Counter*> probes_;
  std::map<std::string, prometheus::Counter*> events_;
  Operation relist_;
  Results reports_, log_rotations_, log_compressions_, images_removed_;
  prometheus::Counter& images_removed_bytes_;
  prometheus::Gauge& image_disk_capacity_;
  prometheus::Gauge& image_disk_available_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_METRICS_H_
