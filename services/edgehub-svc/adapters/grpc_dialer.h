// CloudDialer over gRPC with mutual TLS.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_GRPC_DIALER_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_GRPC_DIALER_H_

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "services/edgehub-svc/hub/ports.h"
#include "services/edgehub-svc/metrics.h"

namespace skerry::edgehub {

// Every Dial makes a channel of its own: names are resolved anew, a certificate that was replaced
// is used, and no back-off but the machine's is at work. Any thread may call it; `metrics` outlives
// it.
class GrpcDialer final : public CloudDialer {
 public:
  // server_name: expected in the hub's certificate; empty: the host of `target`.
  GrpcDialer(std::string target, std::string server_name,
             std::shared_ptr<grpc::ChannelCredentials> credentials, EdgeHubMetrics& metrics);

  std::shared_ptr<CloudLink> Dial(LinkEvents events) override;

 private:
  const std::string target_;
  const std::string server_name_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  EdgeHubMetrics& metrics_;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_GRPC_DIALER_H_
