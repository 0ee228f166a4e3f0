// Counts and times what is asked of a runtime.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_METERED_RUNTIME_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_METERED_RUNTIME_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/metrics.h"
#include "services/lib/base/clock.h"

namespace skerry::edged {

// As thread-safe as what it wraps. Listing is metered by its caller.
class MeteredRuntime final : public Runtime {
 public:
  MeteredRuntime(std::unique_ptr<Runtime> runtime, EdgedMetrics& metrics, Clock& clock)
      : metrics_(metrics), clock_(clock), runtime_(std::move(runtime)) {}

  absl::StatusOr<RuntimeStatus> Status() override {
    return Timed("status", [&] { return runtime_->Status(); });
  }
  absl::StatusOr<std::vector<PodView>> ListPods() override { return runtime_->ListPods(); }
  absl::StatusOr<std::string> RunSandbox(const SandboxConfig& config) override {
    return Timed("run_sandbox", [&] { return runtime_->RunSandbox(config); });
  }
  absl::Status StopSandbox(absl::string_view id) override {
    return Timed("stop_sandbox", [&] { return runtime_->StopSandbox(id); });
  }
  absl::Status RemoveSandbox(absl::string_view id) override {
    return Timed("remove_sandbox", [&] { return runtime_->RemoveSandbox(id); });
  }
  absl::StatusOr<std::string> CreateContainer(absl::string_view sandbox_id,
                                              const SandboxConfig& sandbox,
                                              const ContainerConfig& config) override {
    return Timed("create_container",
                 [&] { return runtime_->CreateContainer(sandbox_id, sandbox, config); });
  }
  absl::Status StartContainer(absl::string_view id) override {
    return Timed("start_container", [&] { return runtime_->StartContainer(id); });
  }
  absl::Status RemoveContainer(absl::string_view id) override {
    return Timed("remove_container", [&] { return runtime_->RemoveContainer(id); });
  }
  void StopContainer(absl::string_view id, absl::Duration grace, Done done) override {
    runtime_->StopContainer(id, grace, Metered("stop_container", std::move(done)));
  }
  void Exec(absl::string_view id, const std::vector<std::string>& command, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done) override {
    runtime_->Exec(id, command, timeout,
                   [this, begin = clock_.Monotonic(),
                    done = std::move(done)](absl::StatusOr<ExecResult> result) mutable {
                     metrics_.RuntimeOperation("exec", result.ok(), clock_.Monotonic() - begin);
                     done(std::move(result));
                   });
  }
  absl::Status ReopenLog(absl::string_view id) override {
    return Timed("reopen_log", [&] { return runtime_->ReopenLog(id); });
  }
  absl::StatusOr<std::string> OpenStream(const StreamRequest& request) override {
    return Timed("open_stream", [&] { return runtime_->OpenStream(request); });
  }
  absl::StatusOr<std::optional<ImageView>> FindImage(absl::string_view image) override {
    return Timed("find_image", [&] { return runtime_->FindImage(image); });
  }
  void PullImage(absl::string_view image, std::vector<RegistryAuth> auths, Done done) override {
    runtime_->PullImage(image, std::move(auths), Metered("pull_image", std::move(done)));
  }
  absl::StatusOr<std::vector<StoredImage>> ListImages() override {
    return Timed("list_images", [&] { return runtime_->ListImages(); });
  }
  absl::Status RemoveImage(absl::string_view id) override {
    return Timed("remove_image", [&] { return runtime_->RemoveImage(id); });
  }
  void EndCalls() override { runtime_->EndCalls(); }
  absl::StatusOr<std::string> ImageFolder() override {
    return Timed("image_folder", [&] { return runtime_->ImageFolder(); });
  }

 private:
  template <typename Call>
  auto Timed(const char* operation, Call call) -> decltype(call()) {
    const absl::Duration begin = clock_.Monotonic();
    auto result = call();
    metrics_.RuntimeOperation(operation, result.ok(), clock_.Monotonic() - begin);
    return result;
  }
  Done Metered(const char* operation, Done done) {
    return [this, operation, begin = clock_.Monotonic(),
            done = std::move(done)](absl::Status status) mutable {
      metrics_.RuntimeOperation(operation, status.ok(), clock_.Monotonic() - begin);
      done(std::move(status));
    };
  }

  EdgedMetrics& metrics_;
  Clock& clock_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_METERED_RUNTIME_H_
