// A containerd of the test's own, by tools/dev/containerd. Needs root: tests that use it are tagged
// "local".
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_CONTAINERD_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_CONTAINERD_H_

#include <string>

#include "services/edged-svc/testing/private_runtime.h"

namespace skerry::edged {

class PrivateContainerd final : public PrivateRuntime {
 public:
  PrivateContainerd();
  ~PrivateContainerd() override;
  PrivateContainerd(const PrivateContainerd&) = delete;
  PrivateContainerd& operator=(const PrivateContainerd&) = delete;

  void PowerCycle() override;
  void AddImage(const std::string& name) override;
  bool HasImage(const std::string& name) const override;
  const std::string& cgroup() const override { return cgroup_; }
  const std::string& endpoint() const override { return endpoint_; }
  const std::string& folder() const { return folder_; }

 private:
  void Up();
  // containerd's own client.
  std::string Ctr(const std::string& command) const;
  static std::string Tool(const std::string& command, const std::string& folder);

  std::string folder_, endpoint_, cgroup_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_CONTAINERD_H_
