// A container runtime behind Docker Engine's API: for boxes that have nothing but Docker.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_RUNTIME_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_RUNTIME_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::metrics {
class Registry;
}

namespace skerry::edged {

struct DockerOptions {
  std::string endpoint;                   // "unix:///run/docker.sock".
  std::string owner = "edged-svc";        // As CriOptions'.
  std::string sandbox_image;              // Empty: kSandboxImage.
  bool restrict_oom_score_adj = false;    // See DockerFacts.
  std::string pulled_images_path;         // See PulledImageFile.
  metrics::Registry* registry = nullptr;  // Of the streams; outlives the runtime.
};

// Names, labels and log options are dockershim's, so that what reads `docker ps` knows our pods.
// What Docker has no notion of is done here: sandboxes, log files in CRI's format (log_copier.h),
// a streaming server (services/edged-svc/streaming). A container that has ended is told as such
// once its log is whole, at most kLogWait later.
class DockerRuntime final : public Runtime {
 public:
  static constexpr char kSandboxImage[] = "registry.k8s.io/pause:3.9";
  static constexpr absl::Duration kLogWait = absl::Seconds(10);

  // INVALID_ARGUMENT for an endpoint that is no Unix socket.
  static absl::StatusOr<std::unique_ptr<DockerRuntime>> Create(const DockerOptions& options,
                                                               Clock& clock, log::Logger log);
  // Ends open calls and streams; waits for their `done`.
  ~DockerRuntime() override;

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
  // Streams end, too; logs are copied on.
  void EndCalls() override;

 private:
  struct Impl;
  explicit DockerRuntime(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_RUNTIME_H_
