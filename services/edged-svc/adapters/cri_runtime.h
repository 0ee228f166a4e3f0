// A container runtime behind CRI v1: containerd, CRI-O.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_RUNTIME_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_RUNTIME_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

struct CriOptions {
  std::string endpoint;        // "unix:///run/containerd/containerd.sock".
  std::string image_endpoint;  // Empty: the same.
  // Pods made here carry it and only those are listed, so that a runtime may have other users.
  std::string owner = "edged-svc";
  // What sandboxes are made of, for runtimes that do not say it (containerd and CRI-O do).
  std::string sandbox_image;
};

// Keeps the details of containers between lists: an unchanged container costs no call of its own.
// Connects when first used, and again after the runtime has restarted.
class CriRuntime final : public Runtime {
 public:
  // INVALID_ARGUMENT for an endpoint that is not local.
  static absl::StatusOr<std::unique_ptr<CriRuntime>> Create(const CriOptions& options);
  // Ends open calls; waits for their `done`.
  ~CriRuntime() override;

  absl::StatusOr<RuntimeStatus> Status() override;
  absl::StatusOr<std::vector<PodView>> ListPods() override;
  absl::StatusOr<std::string> RunSandbox(const SandboxConfig& config) override;
  absl::Status StopSandbox(absl::string_view id) override;
  absl::Status RemoveSandbox(absl::string_view id) override;
  absl::StatusOr<std::string> CreateContainer(absl::string_view sandbox_id,
                                              const SandboxConfig& sandbox,
                                              const ContainerConfig& config) override;
  absl::Status StartContainer(absl::string_view id) override;
  absl::Status RemoveContainer(absl::string_view id) override;
  void StopContainer(absl::string_view id, absl::Duration grace, Done done) override;
  void Exec(absl::string_view id, const std::vector<std::string>& command, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done) override;
  absl::Status ReopenLog(absl::string_view id) override;
  absl::StatusOr<std::string> OpenStream(const StreamRequest& request) override;
  absl::StatusOr<std::optional<ImageView>> FindImage(absl::string_view image) override;
  void PullImage(absl::string_view image, std::vector<RegistryAuth> auths, Done done) override;
  absl::StatusOr<std::vector<StoredImage>> ListImages() override;
  absl::Status RemoveImage(absl::string_view id) override;
  absl::StatusOr<std::string> ImageFolder() override;
  void EndCalls() override;

 private:
  struct Impl;
  explicit CriRuntime(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_RUNTIME_H_
