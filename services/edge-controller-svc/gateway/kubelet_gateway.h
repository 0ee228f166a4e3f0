// The kubelet's HTTPS endpoint of every edge node, in the cloud.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_GATEWAY_KUBELET_GATEWAY_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_GATEWAY_KUBELET_GATEWAY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/edge-controller-svc/metrics.h"
#include "services/lib/http/server.h"
#include "services/lib/link/tunnel_set.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::edgecontroller {

// Takes requests of the API server (and nobody else), finds the pod's node, opens a tunnel to it
// and passes bytes on. What a request says is the node's to understand. Any thread may call it.
class KubeletGateway {
 public:
  struct Options {
    std::string listen;
    std::string cert_file, key_file;
    std::string client_ca_file;
    std::vector<std::string> client_names;  // Common names of the API server's certificate.
    metrics::Registry* registry = nullptr;
  };
  struct Route {
    std::string node;
    std::shared_ptr<grpc::Channel> hub;
  };
  // To the node of a pod ("namespace/name"). NOT_FOUND: there is no such pod. Any thread.
  using FindRoute = std::function<absl::StatusOr<Route>(const std::string& pod)>;

  static absl::StatusOr<std::unique_ptr<KubeletGateway>> Create(const Options& options,
                                                                FindRoute find_route,
                                                                EdgeControllerMetrics& metrics,
                                                                log::Logger log);
  ~KubeletGateway();  // Ends all connections.

  // With the bound port.
  std::string address() const { return server_->address(); }

 private:
  KubeletGateway(const Options& options, FindRoute find_route, EdgeControllerMetrics& metrics,
                 log::Logger log);
  void Handle(const http::Request& request, std::shared_ptr<http::Responder> responder);
  void Open(const Route& route, const http::Request& request,
            std::shared_ptr<http::Responder> responder);

  const std::vector<std::string> client_names_;
  const FindRoute find_route_;
  EdgeControllerMetrics& metrics_;
  const log::Logger log_;
  link::TunnelSet tunnels_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_GATEWAY_KUBELET_GATEWAY_H_
