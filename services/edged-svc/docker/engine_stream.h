// Connections of the engine's thread as byte streams. For .cc files: it includes Boost.Asio.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_STREAM_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_STREAM_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <string>

#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/docker/engine_network.h"

namespace skerry::edged {

// `rest`: what was read behind the answer's head. On the network's thread.
std::shared_ptr<EngineStream> MakeEngineStream(std::shared_ptr<EngineNetwork> network,
                                               boost::asio::local::stream_protocol::socket socket,
                                               std::string rest);
std::shared_ptr<EngineStream> MakeEngineStream(std::shared_ptr<EngineNetwork> network,
                                               boost::asio::ip::tcp::socket socket);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_STREAM_H_
