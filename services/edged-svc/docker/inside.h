// What is inside of a container, seen from the host. For .cc files: it includes Boost.Asio.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_INSIDE_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_INSIDE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/docker/engine_network.h"

namespace skerry::edged {

struct PortInside {
  std::string container_id;
  uint32_t pid = 0;  // Of the container, as Docker says.
  uint16_t port = 0;
};

// See DockerEngine::ConnectInside. On the network's thread.
void ConnectInNamespace(const std::shared_ptr<EngineNetwork>& network, const PortInside& to,
                        absl::Duration timeout, DockerEngine::Connected done);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_INSIDE_H_
