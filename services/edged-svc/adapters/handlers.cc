#include "services/edged-svc/adapters/handlers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edged {

void Handlers::Run(Use use, const std::string& container_id, const std::string& address,
                   const Handler& handler, absl::Duration timeout, Done done) {
  const std::string& host = handler.host.empty() ? address : handler.host;
  switch (handler.kind) {
    case Handler::Kind::kExec:
      return RunExec(use, container_id, handler, timeout, std::move(done));
    case Handler::Kind::kHttp:
      return RunHttp(use, host, handler, timeout, std::move(done));
    case Handler::Kind::kTcp:
      // In hooks Kubernetes' API has it for history's sake only.
      if (use == Use::kHook) {
        timers_.Post([done = std::move(done)]() mutable {
          done(absl::FailedPreconditionError("invalid handler: tcpSocket is not for hooks"));
        });
        return;
      }
      return network_.Tcp(host, handler.port, timeout, std::move(done));
    case Handler::Kind::kGrpc:
      return grpc_.Check(host, handler.port, handler.grpc_service, timeout, std::move(done));
    case Handler::Kind::kSleep:
      timers_.PostAfter(std::min(timeout, absl::Seconds(handler.sleep_seconds)),
                        [done = std::move(done)]() mutable { done(absl::OkStatus()); });
      return;
    case Handler::Kind::kNone:
      timers_.Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
      return;
  }
}

void Handlers::RunExec(Use use, const std::string& container_id, const Handler& handler,
                       absl::Duration timeout, Done done) {
  runtime_.Exec(
      container_id, handler.command, timeout,
      [use, done = std::move(done)](absl::StatusOr<ExecResult> result) mutable {
        if (!result.ok()) {
          // A command that did not end in time has answered; a runtime that can't run it
          // has not.
          const bool late = absl::IsDeadlineExceeded(result.status());
          return done(late
                          ? absl::Status(absl::StatusCode::kFailedPrecondition, "command timed out")
                          : absl::UnavailableError(result.status().message()));
        }
        if (result->exit_code == 0) return done(absl::OkStatus());
        const std::string output = result->output.substr(0, 1024);
        done(Error(absl::StatusCode::kFailedPrecondition,
                   use == Use::kProbe
                       ? output
                       : absl::StrCat("command exited with ", result->exit_code, ": ", output))
                 .Reason("PROBE_FAILED"));
      });
}

void Handlers::RunHttp(Use use, const std::string& host, const Handler& handler,
                       absl::Duration timeout, Done done) {
  HttpGet get;
  get.target = {handler.scheme == "HTTPS", host, handler.port, RequestPath(handler.path)};
  get.headers = handler.headers;
  get.user_agent = use == Use::kHook ? "kube-lifecycle/1.32" : "kube-probe/1.32";
  get.any_status = use == Use::kHook;
  network_.Http(std::move(get), timeout, std::move(done));
}

}  // namespace skerry::edged
