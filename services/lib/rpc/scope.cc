#include "services/lib/rpc/scope.h"

#include <chrono>

#include "services/lib/rpc/admission.h"

namespace skerry::rpc {

absl::StatusOr<CallScope> ScopeOf(const grpc::ServerContextBase& context) {
  CallScope scope;
  scope.deadline = DeadlineOf(context);
  const CallVerdict* verdict = VerdictOf(context);
  if (verdict == nullptr) {
    scope.peer = CertificatePeer(context);
    return scope;
  }
  if (!verdict->refusal.ok()) return verdict->refusal;
  scope.peer = verdict->peer;
  return scope;
}

absl::Time DeadlineOf(const grpc::ServerContextBase& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  return deadline == std::chrono::system_clock::time_point::max() ? absl::InfiniteFuture()
                                                                  : absl::FromChrono(deadline);
}

}  // namespace skerry::rpc
