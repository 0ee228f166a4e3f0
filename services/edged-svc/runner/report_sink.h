// Where statuses go on their way to the cloud.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_REPORT_SINK_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_REPORT_SINK_H_

#include <cstdint>
#include <string>

namespace skerry::edged {

class ReportSink {
 public:
  virtual ~ReportSink() = default;
  // The latest status of a pod. Any thread; returns at once; delivered until edge-meta-svc has it.
  // gone: nothing of the pod is left on this box.
  virtual void ReportPod(const std::string& key, const std::string& uid, int64_t generation,
                         const std::string& status_json, bool gone) = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_REPORT_SINK_H_
