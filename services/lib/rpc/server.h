// A gRPC server as every service runs it: callback API, health, reflection, bounds, drain.
#ifndef SKERRY_SERVICES_LIB_RPC_SERVER_H_
#define SKERRY_SERVICES_LIB_RPC_SERVER_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/token_authenticator.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace skerry::metrics {
class Registry;
}  // namespace skerry::metrics

namespace skerry::rpc {

class Listener;

struct ServerOptions {
  // Where set: connections of `listen` come by it. TLS only. Outlives the server.
  Listener* listener = nullptr;
  // "host:port" (0 picks a port) or "unix:/path". A stale socket file is replaced; the socket gets
  // mode 0660.
  std::string listen;
  std::shared_ptr<grpc::ServerCredentials>
      credentials;  // Null: plaintext, Unix sockets and loopback only, else refused.
  // Where set, a method is refused to callers that it does not name (admission.h); with `tokens`
  // also bearer tokens are callers. Both by UseTls, which sets the credentials to go with them.
  std::optional<security::MethodPolicy> policy;
  security::TokenAuthenticator* tokens = nullptr;
  int message_bytes_max = 4 << 20;
  absl::Duration keepalive_interval = absl::Seconds(30);
  int window_bytes = 64 << 10;  // A peer may send this much of a call ahead of what was read.
  absl::Duration connection_age_max = absl::InfiniteDuration();
  // A connection without a call is closed after this time.
  absl::Duration connection_idle_max = absl::InfiniteDuration();
  // Where set: skerry_rpc_server_handling_seconds{service,method,code} of every unary call.
  // Outlives the server.
  metrics::Registry* registry = nullptr;
};

// Any thread may call it; Shutdown waits, so not from a handler.
class Server {
 public:
  // Starts serving. `services` outlive it. UNAVAILABLE names the address that could not be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Create(
      const ServerOptions& options, const std::vector<grpc::Service*>& services);
  ~Server();  // Shutdown(now).

  // "127.0.0.1:4433" with the port that was bound, or "unix:/path".
  const std::string& address() const { return address_; }
  // Health of every service and "". Not serving until told.
  void SetServing(bool serving);
  // New calls are refused; open ones have until the deadline, then they are cancelled, which ends
  // every stream of this folder. Returns when all are done. Idempotent.
  void Shutdown(absl::Time deadline);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::string address,
         std::vector<std::string> services, Listener* listener);

  std::unique_ptr<grpc::Server> server_;
  const std::string address_;
  const std::vector<std::string> services_;  // Full names.
  Listener* const listener_;                 // Or null.
  absl::Mutex shutdown_mutex_;
  bool shut_down_ ABSL_GUARDED_BY(shutdown_mutex_) = false;
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SERVER_H_
