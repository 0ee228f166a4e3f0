// A Docker Engine of the test's own, by tools/dev/dockerd. Needs root: tests that use it are tagged
// "local".
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_DOCKERD_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_DOCKERD_H_

#include <string>

#include "services/edged-svc/testing/private_runtime.h"

namespace skerry::edged {

// Its bridge and its iptables rules are in a network namespace: its own, from where pods can't be
// reached by address, or that of the caller (see EnterNetwork).
class PrivateDockerd final : public PrivateRuntime {
 public:
  enum class Network { kOwn, kCallers };

  explicit PrivateDockerd(Network network = Network::kOwn);
  ~PrivateDockerd() override;
  PrivateDockerd(const PrivateDockerd&) = delete;
  PrivateDockerd& operator=(const PrivateDockerd&) = delete;

  // Puts this process, which must have no other thread yet, into a new network namespace.
  static void EnterNetwork();

  void PowerCycle() override;
  void AddImage(const std::string& name) override;
  bool HasImage(const std::string& name) const override;
  // A second name for the image of `image()`.
  void Tag(const std::string& repository, const std::string& tag);
  const std::string& cgroup() const override { return cgroup_; }
  const std::string& endpoint() const override { return endpoint_; }
  const std::string& folder() const { return folder_; }

 private:
  void Up();

  const Network network_;
  std::string folder_, endpoint_, cgroup_, curl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_DOCKERD_H_
