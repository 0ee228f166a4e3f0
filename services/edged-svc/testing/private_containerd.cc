#include "services/edged-svc/testing/private_containerd.h"

#include <stdlib.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/testing/shell.h"

namespace skerry::edged {

std::string PrivateContainerd::Tool(const std::string& command, const std::string& folder) {
  return RunShell(absl::StrCat("tools/dev/containerd ", command, " ", folder));
}

std::string PrivateContainerd::Ctr(const std::string& command) const {
  return RunShell(
      absl::StrCat("ctr --address ", folder_, "/run/containerd.sock --namespace k8s.io ", command));
}

void PrivateContainerd::AddImage(const std::string& name) {
  const std::string archive = folder_ + "/image.tar";
  RunShell(absl::StrCat("tools/dev/make_image --tag ", name, " --out ", archive,
                        " --text /name=", name, " --cmd /none"));
  // Not unpacked: it may be removed as soon as it is listed.
  Ctr("images import --no-unpack " + archive);
}

bool PrivateContainerd::HasImage(const std::string& name) const {
  return !Ctr("images list --quiet name==" + name).empty();
}

PrivateContainerd::PrivateContainerd() {
  std::string folder = "/tmp/skerry-containerd-XXXXXX";
  folder_ = mkdtemp(folder.data());
  cgroup_ = "/" + std::filesystem::path(folder_).filename().string();
  Up();
}

PrivateContainerd::~PrivateContainerd() {
  Tool("down", folder_);
  RemoveCgroups(cgroup_.substr(1));
}

void PrivateContainerd::Up() {
  endpoint_ = Tool("up", folder_);
  while (!endpoint_.empty() && endpoint_.back() == '\n') endpoint_.pop_back();
}

void PrivateContainerd::PowerCycle() {
  Tool("crash", folder_);
  Up();
}

}  // namespace skerry::edged
