// The way down: HTTP requests of the cloud become commands to nodes.
#ifndef SKERRY_SERVICES_ROUTER_SVC_GATEWAY_REST_GATEWAY_H_
#define SKERRY_SERVICES_ROUTER_SVC_GATEWAY_REST_GATEWAY_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/http/server.h"
#include "services/router-svc/gateway/command_sender.h"
#include "services/router-svc/gateway/rest_access.h"
#include "services/router-svc/metrics.h"
#include "services/router-svc/runner/rule_book.h"

namespace skerry::router {

// "/<node>/<namespace>/<path>": authenticated, matched to a rest rule, sent, and answered with what
// the box said. The header Idempotency-Key makes a repeat the same command. References outlive it.
class RestGateway {
 public:
  struct Options {
    std::string listen;
    std::string cert_file, key_file;  // Empty: plain HTTP, loopback only.
    std::string client_ca_file;       // Empty: no client certificates.
    absl::Duration timeout = absl::Seconds(60);
    int requests_max = 256;  // Waiting for boxes, of 256 KiB each; beyond: 429.
  };
  static absl::StatusOr<std::unique_ptr<RestGateway>> Create(const Options& options,
                                                             RuleBook& rules, RestAccess& access,
                                                             CommandSender& sender,
                                                             RouterMetrics& metrics,
                                                             metrics::Registry& registry);

  std::string address() const { return server_->address(); }
  void Shutdown(absl::Time deadline) { server_->Shutdown(deadline); }

 private:
  RestGateway(const Options& options, RuleBook& rules, RestAccess& access, CommandSender& sender,
              RouterMetrics& metrics);
  void Handle(http::Request request, const std::shared_ptr<http::Responder>& responder);
  absl::StatusOr<NodeCommand> MakeCommand(http::Request& request, const RestTarget& target,
                                          const RestMatch& match) const;

  const Options options_;
  RuleBook& rules_;
  RestAccess& access_;
  CommandSender& sender_;
  RouterMetrics& metrics_;
  std::atomic<int> waiting_ = 0;
  std::unique_ptr<http::Server> server_;
};

// How a failed request is answered.
int HttpStatusOf(const absl::Status& status);

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_GATEWAY_REST_GATEWAY_H_
