// Starts a container N times through CRI alone and prints how long each took until the runtime
// listed it as running, in milliseconds: what tools/bench/pod_start measures us against. cri_start
// <endpoint> <image> <folder> <times>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/edged-svc/adapters/cri_runtime.h"

namespace {

using skerry::edged::ContainerView;
using skerry::edged::CriRuntime;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "cri_start: %s\n", status.ToString().c_str());
  return 1;
}

bool Runs(CriRuntime& runtime, const std::string& id) {
  const auto pods = runtime.ListPods();
  if (!pods.ok()) return false;
  for (const auto& pod : *pods) {
    for (const ContainerView& container : pod.containers) {
      if (container.id == id) return container.state == ContainerView::State::kRunning;
    }
  }
  return false;
}

absl::Status StartOnce(CriRuntime& runtime, const std::string& image, const std::string& folder,
                       int number) {
  skerry::edged::SandboxConfig sandbox;
  sandbox.name_space = "bench";
  sandbox.name = sandbox.hostname = absl::StrCat("cri-", number);
  sandbox.uid = absl::StrCat("cri-start-", number);
  sandbox.log_folder = folder + "/" + sandbox.name;
  std::filesystem::create_directories(sandbox.log_folder + "/main");
  skerry::edged::ContainerConfig container;
  container.name = "main";
  container.command = {"sleep", "1000000"};
  container.log_path = "main/0.log";

  const absl::Time begin = absl::Now();
  const auto found = runtime.FindImage(image);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return absl::NotFoundError("no such image: " + image);
  container.image_id = (*found)->id;
  const auto id = runtime.RunSandbox(sandbox);
  if (!id.ok()) return id.status();
  const auto made = runtime.CreateContainer(*id, sandbox, container);
  absl::Status status = made.ok() ? runtime.StartContainer(*made) : made.status();
  if (status.ok() && !Runs(runtime, *made))
    status = absl::InternalError("the container does not run");
  if (status.ok()) std::printf("%.1f\n", absl::ToDoubleMilliseconds(absl::Now() - begin));
  std::fflush(stdout);
  runtime.StopSandbox(*id).IgnoreError();
  runtime.RemoveSandbox(*id).IgnoreError();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: cri_start ENDPOINT IMAGE FOLDER TIMES\n");
    return 2;
  }
  // An owner of its own: edged-svc on the same runtime leaves these pods alone.
  auto runtime = CriRuntime::Create({.endpoint = argv[1], .owner = "cri_start"});
  if (!runtime.ok()) return Fail(runtime.status());
  for (int i = 0; i < std::atoi(argv[4]); ++i) {
    const absl::Status status = StartOnce(**runtime, argv[2], argv[3], i);
    if (!status.ok()) return Fail(status);
  }
  return 0;
}
