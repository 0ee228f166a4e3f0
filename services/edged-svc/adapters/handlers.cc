#include "services/edged-svc/adapters/handlers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/adapters/network_probe.h"
#include "services/lib/base/error.h"

namespace skerry::edged {

void Handlers::Run(const std::string& container_id, const std::string& address,
                   const Handler& handler, absl::Duration timeout, Done done) {
  switch (handler.kind) {
    case Handler::Kind::kExec:
      runtime_.Exec(container_id, handler.command, timeout,
                    [done = std::move(done)](absl::StatusOr<ExecResult> result) mutable {
                      if (!result.ok()) {
                        // A command that did not end in time has answered; a runtime that can't run
                        // it has not.
                        const bool late = absl::IsDeadlineExceeded(result.status());
                        return done(late ? absl::Status(absl::StatusCode::kFailedPrecondition,
                                                        "command timed out")
                                         : absl::UnavailableError(result.status().message()));
                      }
                      if (result->exit_code == 0) return done(absl::OkStatus());
                      done(Error(absl::StatusCode::kFailedPrecondition,
                                 absl::StrCat("command exited with ", result->exit_code, ": ",
                                              result->output.substr(0, 1024)))
                               .Reason("PROBE_FAILED"));
                    });
      return;
    case Handler::Kind::kHttp:
    case Handler::Kind::kTcp: {
      const auto shared = std::make_shared<Done>(std::move(done));
      const bool taken = network_.TrySubmit(
          [shared, handler, host = handler.host.empty() ? address : handler.host, timeout] {
            (*shared)(handler.kind == Handler::Kind::kTcp ? ProbeTcp(host, handler.port, timeout)
                                                          : ProbeHttp(host, handler, timeout));
          });
      if (!taken) (*shared)(absl::UnavailableError("too many probes wait"));
      return;
    }
    case Handler::Kind::kSleep:
      timers_.PostAfter(std::min(timeout, absl::Seconds(handler.sleep_seconds)),
                        [done = std::move(done)]() mutable { done(absl::OkStatus()); });
      return;
    case Handler::Kind::kNone:
    case Handler::Kind::kGrpc:
      timers_.Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
      return;
  }
}

}  // namespace skerry::edged
