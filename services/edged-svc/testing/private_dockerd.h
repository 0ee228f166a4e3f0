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
  // Puts an image that is like no other into a registry that the engine reaches, and not onto the
  // engine. path: "team/app:1". Its name is that with the registry before it.
  std::string Publish(const std::string& path) override;
  // What somebody else does with the same engine.
  void Pull(const std::string& name);
  void Tag(const std::string& image, const std::string& repository, const std::string& tag);
  void Untag(const std::string& name);
  const std::string& cgroup() const override { return cgroup_; }
  const std::string& endpoint() const override { return endpoint_; }
  const std::string& folder() const { return folder_; }

 private:
  void Up();
  void StartRegistry();

  const Network network_;
  std::string folder_, endpoint_, cgroup_, curl_;
  std::string registry_;  // Empty: not started. "127.0.0.1:1234": no TLS is asked for.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_DOCKERD_H_
