#include "services/edged-svc/testing/shell.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

namespace skerry::edged {

std::string RunShell(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 256> buffer;
  while (pipe != nullptr && fgets(buffer.data(), buffer.size(), pipe) != nullptr)
    out += buffer.data();
  const int code = pipe == nullptr ? -1 : pclose(pipe);
  EXPECT_EQ(code, 0) << command;
  return out;
}

void RemoveCgroups(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> groups;
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", error)) {
    const fs::path root = hierarchy.path() / name;
    if (!fs::is_directory(root, error)) continue;
    groups.push_back(root);
    for (const auto& entry : fs::recursive_directory_iterator(root, error)) {
      if (entry.is_directory(error)) groups.push_back(entry.path());
    }
  }
  // Deepest first; rmdir alone works there.
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) rmdir(group->c_str());
}

}  // namespace skerry::edged
