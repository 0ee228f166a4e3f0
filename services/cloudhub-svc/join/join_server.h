// The HTTPS port where boxes become nodes.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_SERVER_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/join/hub_pki.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::metrics {
class Registry;
}  // namespace skerry::metrics

namespace skerry::cloudhub {

struct JoinServerOptions {
  std::string listen = "0.0.0.0:10002";
  // What joined nodes dial: "hub.example:10000". Empty: the host by which the box reached this
  // port, and the port of link_bound_address.
  std::string link_address;
  std::string link_bound_address;  // rpc::Server::address() of the link port.
  absl::Duration node_certificate_lifetime = absl::Hours(24 * 365);
  absl::Duration expired_grace = absl::Hours(24 * 30);  // RenewalOptions.
};

// GET /ca.crt, GET /v1/time, POST /v1/token, POST /v1/join, POST /v1/renew as in README.md. Also
// forgets old tokens once an hour. Threads of its own; everything given outlives it.
//
//   SKERRY_ASSIGN_OR_RETURN(pki, HubPki::Open({.state_dir = …, .sans = …}, clock, log));
//   link_server = rpc::Server::Create(…);
//   SKERRY_ASSIGN_OR_RETURN(tokens, SqliteTokenStore::Open(state_dir + "/tokens.db", …));
//   SKERRY_ASSIGN_OR_RETURN(join, JoinServer::Create({.listen = …, .link_bound_address =
//   link_server->address()},
//                                                    *pki, *tokens, *tokens, registry, clock,
//                                                    log));
class JoinServer {
 public:
  static absl::StatusOr<std::unique_ptr<JoinServer>> Create(const JoinServerOptions& options,
                                                            const HubPki& pki, TokenStore& tokens,
                                                            NodeRegistry& nodes,
                                                            metrics::Registry& registry,
                                                            Clock& clock, const log::Logger& log);
  ~JoinServer();

  // "127.0.0.1:10002" with the port that was bound.
  std::string address() const;
  // Refuses new requests and waits for running ones. Idempotent.
  void Shutdown(absl::Time deadline);

 private:
  struct Impl;
  explicit JoinServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_SERVER_H_
