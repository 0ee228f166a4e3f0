// Exec, attach and port-forward on Docker, for the stream server.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_STREAMS_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_STREAMS_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/streaming/stream_backend.h"

namespace skerry::edged {

// A process whose client is gone reads the end of its input, and goes on. Any thread may call it;
// `engine` outlives it and what it opened.
class DockerStreams final : public StreamBackend {
 public:
  explicit DockerStreams(DockerEngine& engine) : engine_(engine) {}

  absl::StatusOr<std::shared_ptr<ContainerIo>> Open(const StreamRequest& request) override;
  // Enters the sandbox's network: a port is reached though it listens on its localhost only.
  void ConnectPort(absl::string_view sandbox_id, uint16_t port, ConnectDone done) override;

 private:
  DockerEngine& engine_;
};

// How a command that was run inside has ended: /exec/{id}/json, asked until it says so, for a few
// seconds. Docker tells the end of the output a little before.
void AwaitExec(DockerEngine& engine, const std::string& exec_id,
               absl::AnyInvocable<void(absl::StatusOr<int32_t>)> done);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_DOCKER_STREAMS_H_
