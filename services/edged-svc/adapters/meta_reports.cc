#include "services/edged-svc/adapters/meta_reports.h"

#include "api/skerry/edged/v1/report.pb.h"

namespace skerry::edged {

void MetaReports::ReportPod(const std::string& key, const std::string& uid, int64_t generation,
                            const std::string& status_json, bool gone) {
  v1::PodReport report;
  report.set_uid(uid);
  report.set_status_json(status_json);
  report.set_gone(gone);
  client_.Report("pods", key, generation, report.SerializeAsString());
}

void MetaReports::ReportNode(const std::string& name, const std::string& value) {
  client_.Report("nodes", name, 0, value);
}

}  // namespace skerry::edged
