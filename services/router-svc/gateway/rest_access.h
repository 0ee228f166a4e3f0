// Who may send messages to nodes by REST.
#ifndef SKERRY_SERVICES_ROUTER_SVC_GATEWAY_REST_ACCESS_H_
#define SKERRY_SERVICES_ROUTER_SVC_GATEWAY_REST_ACCESS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/auth/reloading_file.h"
#include "services/lib/kubeapi/auth/token_table.h"
#include "services/lib/log/logger.h"

namespace skerry::router {

// A client certificate (O is a group) goes before a bearer token of the file. Who is in group
// `group` may send to rules of every namespace, who is in "<group>:<namespace>" to those of that
// one. The file is read again when it changes; one that can't be used is logged, and the last good
// one stays in use. Any thread may call it; `clock` outlives it.
class RestAccess {
 public:
  struct Options {
    std::string group = "skerry:router";
    std::string token_file;  // Empty: no tokens.
  };
  static absl::StatusOr<std::unique_ptr<RestAccess>> Create(const Options& options, Clock& clock,
                                                            log::Logger log);

  // UNAUTHENTICATED / CALLER_UNKNOWN; PERMISSION_DENIED / NAMESPACE_DENIED.
  absl::Status Check(const http::Request& request, const std::string& object_namespace);

 private:
  using Tokens = kubeapi::ReloadingFile<kubeapi::TokenTable>;
  RestAccess(Options options, Clock& clock) : options_(std::move(options)), clock_(clock) {}
  absl::StatusOr<kubeapi::Caller> Authenticate(const http::Request& request);

  const Options options_;
  Clock& clock_;
  std::unique_ptr<Tokens> tokens_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_GATEWAY_REST_ACCESS_H_
