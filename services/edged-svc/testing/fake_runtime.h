// A container runtime that a test lays out. It runs nothing.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_RUNTIME_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_RUNTIME_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// Lists what it holds; what a test does not expect is UNIMPLEMENTED. One thread.
class FakeRuntime : public Runtime {
 public:
  absl::StatusOr<std::vector<PodView>> pods = std::vector<PodView>();
  std::function<absl::Status(absl::string_view id)> reopen_log = [](absl::string_view) {
    return No();
  };
  std::function<absl::StatusOr<std::string>(const StreamRequest&)> open_stream =
      [](const StreamRequest&) { return No(); };
  absl::StatusOr<std::vector<StoredImage>> images = std::vector<StoredImage>();
  absl::StatusOr<std::string> image_folder = std::string("/");
  std::function<absl::Status(absl::string_view id)> remove_image = [](absl::string_view) {
    return No();
  };

  absl::StatusOr<RuntimeStatus> Status() override { return No(); }
  absl::StatusOr<std::vector<PodView>> ListPods() override { return pods; }
  absl::StatusOr<std::string> RunSandbox(const SandboxConfig&) override { return No(); }
  absl::Status StopSandbox(absl::string_view) override { return No(); }
  absl::Status RemoveSandbox(absl::string_view) override { return No(); }
  absl::StatusOr<std::string> CreateContainer(absl::string_view, const SandboxConfig&,
                                              const ContainerConfig&) override {
    return No();
  }
  absl::Status StartContainer(absl::string_view) override { return No(); }
  absl::Status RemoveContainer(absl::string_view) override { return No(); }
  void StopContainer(absl::string_view, absl::Duration, Done done) override { done(No()); }
  void Exec(absl::string_view, const std::vector<std::string>&, absl::Duration,
            absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done) override {
    done(No());
  }
  absl::Status ReopenLog(absl::string_view id) override { return reopen_log(id); }
  absl::StatusOr<std::string> OpenStream(const StreamRequest& request) override {
    return open_stream(request);
  }
  absl::StatusOr<std::optional<ImageView>> FindImage(absl::string_view) override { return No(); }
  void PullImage(absl::string_view, std::vector<RegistryAuth>, Done done) override { done(No()); }
  absl::StatusOr<std::vector<StoredImage>> ListImages() override { return images; }
  absl::Status RemoveImage(absl::string_view id) override { return remove_image(id); }
  absl::StatusOr<std::string> ImageFolder() override { return image_folder; }

 private:
  static absl::Status No() { return absl::UnimplementedError("not in this test"); }
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_RUNTIME_H_
