// A container runtime of the test's own, whichever it is.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_RUNTIME_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_RUNTIME_H_

#include <string>

namespace skerry::edged {

// Started by the constructor, removed with all it made by the destructor. One thread.
class PrivateRuntime {
 public:
  virtual ~PrivateRuntime() = default;

  // Every process is gone at once, what was on the disk stays; then it is started again.
  virtual void PowerCycle() = 0;
  // Imports an image that is like no other.
  virtual void AddImage(const std::string& name) = 0;
  // Docker's is somebody else's, too: see PrivateDockerd. Empty: this one has no registry.
  virtual std::string Publish(const std::string& path) { return ""; }
  virtual bool HasImage(const std::string& name) const = 0;

  // A parent for the pods' cgroups; the destructor removes it.
  virtual const std::string& cgroup() const = 0;
  virtual const std::string& endpoint() const = 0;
  // Has a shell.
  static std::string image() { return "skerry.local/busybox:1"; }
  static std::string sandbox_image() { return "skerry.local/pause:1"; }
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_PRIVATE_RUNTIME_H_
