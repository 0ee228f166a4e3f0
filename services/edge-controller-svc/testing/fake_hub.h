// A cloudhub in this process that has nodes with pods.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_TESTING_FAKE_HUB_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_TESTING_FAKE_HUB_H_

#include <cstdint>
#include <string>

#include "services/lib/cloudspoke/testing/fake_hub.h"

namespace skerry::edgecontroller {

// Any thread may call it.
class FakeHub : public cloudspoke::FakeHub {
 public:
  using cloudspoke::FakeHub::FakeHub;

  void ReportPod(const std::string& node, uint64_t epoch, uint64_t sequence, const std::string& key,
                 const std::string& uid, const std::string& status_json, bool gone = false);
  void ReportNode(const std::string& node, uint64_t epoch, uint64_t sequence,
                  const std::string& status_json);
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_TESTING_FAKE_HUB_H_
