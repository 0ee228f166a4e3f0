// Hands edged's reports to edge-meta-svc.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_META_REPORTS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_META_REPORTS_H_

#include <cstdint>
#include <string>

#include "services/edged-svc/runner/report_sink.h"
#include "services/lib/metaclient/meta_client.h"

namespace skerry::edged {

// Any thread may call it. The client outlives it.
class MetaReports final : public ReportSink {
 public:
  explicit MetaReports(metaclient::MetaClient& client) : client_(client) {}

  void ReportPod(const std::string& key, const std::string& uid, int64_t generation,
                 const std::string& status_json, bool gone) override;
  // value: a serialized NodeReport.
  void ReportNode(const std::string& name, const std::string& value);

 private:
  metaclient::MetaClient& client_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_META_REPORTS_H_
