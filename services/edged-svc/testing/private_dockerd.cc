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
  if (!registry_.empty()) RunShell(absl::StrCat("kill $(cat ", folder_, "/registry.pid)"));
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

void PrivateDockerd::StartRegistry() {
  const std::string log = folder_ + "/registry.log";
  RunShell(absl::StrCat(
      "cd ", folder_, " && echo '{version: 0.1, storage: {filesystem: {rootdirectory: ", folder_,
      "/registry}}, http: {addr: \"127.0.0.1:0\"}}' >registry.yml && "
      "{ setsid nsenter --target $(cat run/pid) --net docker-registry serve registry.yml "
      ">registry.log 2>&1 & echo $! >registry.pid; }"));
  registry_ = RunShell(absl::StrCat("timeout 20 sh -c 'until grep -q \"listening on\" ", log,
                                    "; do sleep 0.1; done'; grep -o '127.0.0.1:[0-9]*' ", log));
  while (!registry_.empty() && registry_.back() == '\n') registry_.pop_back();
}

std::string PrivateDockerd::Publish(const std::string& path) {
  if (registry_.empty()) StartRegistry();
  std::string name = absl::StrCat(registry_, "/", path);
  AddImage(name);
  const size_t colon = name.rfind(':');
  const std::string pushed =
      RunShell(absl::StrCat(curl_, name.substr(0, colon), "/push?tag=", name.substr(colon + 1),
                            " --request POST --header 'X-Registry-Auth: e30='"));
  EXPECT_TRUE(!pushed.empty() && !absl::StrContains(pushed, "\"error\"")) << pushed;
  Untag(name);
  return name;
}

void PrivateDockerd::Pull(const std::string& name) {
  RunShell(absl::StrCat(curl_, "create?fromImage=", name, " --request POST"));
}

void PrivateDockerd::Tag(const std::string& image, const std::string& repository,
                         const std::string& tag) {
  RunShell(absl::StrCat(curl_, image, "/tag --get --request POST --data repo=", repository,
                        " --data tag=", tag));
}

void PrivateDockerd::Untag(const std::string& name) {
  RunShell(absl::StrCat(curl_, name, " --request DELETE"));
}

}  // namespace skerry::edged
