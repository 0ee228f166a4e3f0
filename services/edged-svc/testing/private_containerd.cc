#include "services/edged-svc/testing/private_containerd.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"

namespace skerry::edged {

std::string PrivateContainerd::Run(const std::string& command) {
  // Nothing here comes from outside of the test.
  FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 256> buffer;
  while (pipe != nullptr && fgets(buffer.data(), buffer.size(), pipe) != nullptr)
    out += buffer.data();
  const int code = pipe == nullptr ? -1 : pclose(pipe);
  EXPECT_EQ(code, 0) << command;
  return out;
}

std::string PrivateContainerd::Tool(const std::string& command, const std::string& folder) {
  return Run(absl::StrCat("tools/dev/containerd ", command, " ", folder));
}

std::string PrivateContainerd::Ctr(const std::string& command) const {
  return Run(
      absl::StrCat("ctr --address ", folder_, "/run/containerd.sock --namespace k8s.io ", command));
}

void PrivateContainerd::AddImage(const std::string& name) {
  const std::string archive = folder_ + "/image.tar";
  Run(absl::StrCat("tools/dev/make_image --tag ", name, " --out ", archive, " --text /name=", name,
                   " --cmd /none"));
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
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> groups;
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", error)) {
    const fs::path root = hierarchy.path().string() + cgroup_;
    if (!fs::is_directory(root, error)) continue;
    groups.push_back(root);
    for (const auto& entry : fs::recursive_directory_iterator(root, error)) {
      if (entry.is_directory(error)) groups.push_back(entry.path());
    }
  }
  // Deepest first; rmdir alone works there.
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) rmdir(group->c_str());
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
