// A containerd of the test's own, by tools/dev/containerd. Needs root: tests that use it are tagged
// "local".
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_CONTAINERD_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_CONTAINERD_H_

#include <string>

namespace skerry::edged {

// Started by the constructor, removed with all it made by the destructor. One thread.
class PrivateContainerd {
 public:
  PrivateContainerd();
  ~PrivateContainerd();
  PrivateContainerd(const PrivateContainerd&) = delete;
  PrivateContainerd& operator=(const PrivateContainerd&) = delete;

  // Every process is gone at once, what was on the disk stays; then it is started again.
  void PowerCycle();

  // Imports an image that is like no other.
  void AddImage(const std::string& name);
  bool HasImage(const std::string& name) const;

  // A parent for the pods' cgroups; the destructor removes it.
  const std::string& cgroup() const { return cgroup_; }
  const std::string& endpoint() const { return endpoint_; }
  const std::string& folder() const { return folder_; }
  static std::string image() { return "skerry.local/busybox:1"; }

 private:
  void Up();
  // containerd's own client.
  std::string Ctr(const std::string& command) const;
  static std::string Run(const std::string& command);
  static std::string Tool(const std::string& command, const std::string& folder);

  std::string folder_, endpoint_, cgroup_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_CONTAINERD_H_
