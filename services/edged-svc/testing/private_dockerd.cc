#include "services/edged-svc/testing/private_dockerd.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/testing/shell.h"

namespace skerry::edged {

PrivateDockerd::PrivateDockerd(Network network) : network_(network) {
  std::string folder = "/tmp/skerry-dockerd-XXXXXX";
  folder_ = mkdtemp(folder.data());
  cgroup_ = "/" + std::filesystem::path(folder_).filename().string();
  curl_ = absl::StrCat("curl --silent --fail --unix-socket ", folder_,
                       "/docker.sock http://docker/v1.41/images/");
  Up();
}

PrivateDockerd::~PrivateDockerd() {
  RunShell("tools/dev/dockerd down " + folder_);
  RemoveCgroups(cgroup_.substr(1));
}

void PrivateDockerd::EnterNetwork() {
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  RunShell("ip link set lo up");
}

void PrivateDockerd::Up() {
  endpoint_ = RunShell(absl::StrCat("tools/dev/dockerd up ", folder_,
                                    network_ == Network::kCallers ? " --network=here" : ""));
  while (!endpoint_.empty() && endpoint_.back() == '\n') endpoint_.pop_back();
}

void PrivateDockerd::PowerCycle() {
  RunShell("tools/dev/dockerd crash " + folder_);
  Up();
}

void PrivateDockerd::AddImage(const std::string& name) {
  const std::string archive = folder_ + "/image.tar";
  RunShell(absl::StrCat("tools/dev/make_image --tag ", name, " --out ", archive,
                        " --text /name=", name, " --cmd /none"));
  RunShell(absl::StrCat(curl_, "load --request POST --header 'Content-Type: application/x-tar' ",
                        "--upload-file ", archive));
}

bool PrivateDockerd::HasImage(const std::string& name) const {
  return absl::StrContains(RunShell(curl_ + "json"), "\"" + name + "\"");
}

void PrivateDockerd::Tag(const std::string& repository, const std::string& tag) {
  RunShell(absl::StrCat(curl_, image(), "/tag --get --request POST --data repo=", repository,
                        " --data tag=", tag));
}

}  // namespace skerry::edged
