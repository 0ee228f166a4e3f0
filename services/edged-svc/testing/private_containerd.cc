#include "services/edged-svc/testing/private_containerd.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace skerry::edged {

std::string PrivateContainerd::Tool(const std::string& command, const std::string& folder) {
  // Nothing here comes from outside of the test.
  FILE* pipe = popen(absl::StrCat("tools/dev/containerd ", command, " ", folder).c_str(), "r");
  std::string out;
  std::array<char, 256> buffer;
  while (pipe != nullptr && fgets(buffer.data(), buffer.size(), pipe) != nullptr)
    out += buffer.data();
  const int code = pipe == nullptr ? -1 : pclose(pipe);
  EXPECT_EQ(code, 0) << "tools/dev/containerd " << command;
  return out;
}

PrivateContainerd::PrivateContainerd() {
  std::string folder = "/tmp/skerry-containerd-XXXXXX";
  folder_ = mkdtemp(folder.data());
  Up();
}

PrivateContainerd::~PrivateContainerd() { Tool("down", folder_); }

void PrivateContainerd::Up() {
  endpoint_ = Tool("up", folder_);
  while (!endpoint_.empty() && endpoint_.back() == '\n') endpoint_.pop_back();
}

void PrivateContainerd::PowerCycle() {
  Tool("crash", folder_);
  Up();
}

}  // namespace skerry::edged
