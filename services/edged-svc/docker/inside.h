// Connections to what listens inside of a container's network. For .cc files.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_INSIDE_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_INSIDE_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/docker/engine_network.h"

namespace skerry::edged {

// See DockerEngine::ConnectInside. On the network's thread.
void ConnectInNamespace(const std::shared_ptr<EngineNetwork>& network, uint32_t pid, uint16_t port,
                        absl::Duration timeout, DockerEngine::Connected done);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_INSIDE_H_
