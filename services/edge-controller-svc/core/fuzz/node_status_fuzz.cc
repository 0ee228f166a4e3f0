// Any JSON as the status that a node reports.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/edge-controller-svc/core/node_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const skerry::edgecontroller::NodeReportValue report{
      .status_json = std::string(reinterpret_cast<const char*>(data), size),
      .labels = {{"kubernetes.io/arch", "amd64"}}};
  const auto status = skerry::edgecontroller::ParseNodeStatus(report);
  if (!status.ok()) return 0;
  const nlohmann::json node = {{"metadata", {{"name", "n"}, {"resourceVersion", "1"}}},
                               {"status", *status}};
  skerry::edgecontroller::NewNode("n", report, *status);
  skerry::edgecontroller::PlanNodeLabels(node, report, *status);
  skerry::edgecontroller::PlanNodeStatus(node, *status);
  skerry::edgecontroller::PlanKubeletEndpoint(node, {.address = "10.0.0.1", .port = 10250});
  skerry::edgecontroller::PlanKubeletEndpoint(
      node, {.address = "10.0.0.1", .port = 10250, .internal_ip = true});
  skerry::edgecontroller::PlanNodeLost(node, absl::UnixEpoch());
  skerry::edgecontroller::NodeDigest(node);
  return 0;
}
