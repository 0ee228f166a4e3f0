#include "services/edge-controller-svc/testing/fake_hub.h"

#include "api/skerry/edged/v1/report.pb.h"

namespace skerry::edgecontroller {

void FakeHub::ReportPod(const std::string& node, uint64_t epoch, uint64_t sequence,
                        const std::string& key, const std::string& uid,
                        const std::string& status_json, bool gone) {
  edged::v1::PodReport value;
  value.set_uid(uid);
  value.set_status_json(status_json);
  value.set_gone(gone);
  Report(node, epoch, sequence, "pods", key, value.SerializeAsString());
}

void FakeHub::ReportNode(const std::string& node, uint64_t epoch, uint64_t sequence,
                         const std::string& status_json) {
  edged::v1::NodeReport value;
  value.set_status_json(status_json);
  Report(node, epoch, sequence, "nodes", node, value.SerializeAsString());
}

}  // namespace skerry::edgecontroller
