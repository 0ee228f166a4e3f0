#include "services/lib/rpc/unary.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::rpc {
namespace {

constexpr absl::Duration kDefaultDeadline = absl::Seconds(10);

absl::StatusOr<CallScope> AdmittedScope(const grpc::CallbackServerContext& context) {
  absl::StatusOr<CallScope> scope = ScopeOf(context);
  if (scope.ok() && scope->deadline == absl::InfiniteFuture())
    scope->deadline = absl::Now() + kDefaultDeadline;
  return scope;
}

// Finishes exactly once: by the pool's thread after the handler, or at once where there is no room.
// Lives until OnDone.
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  void Run(CallScope scope, exec::ThreadPool& pool,
           absl::AnyInvocable<absl::Status(const CallScope&)> handler) {
    scope.cancelled = cancelled_;
    bool accepted =
        pool.TrySubmit([this, scope = std::move(scope), handler = std::move(handler)]() mutable {
          absl::Status status = Handle(scope, handler);
          handler = nullptr;  // What it holds goes before the call ends.
          Finish(ToGrpc(status));
        });
    if (accepted) return;
    Finish(
        ToGrpc(Error(absl::StatusCode::kResourceExhausted, "all workers are busy; try again later")
                   .Reason("SERVER_BUSY")));
  }

 private:
  static absl::Status Handle(const CallScope& scope,
                             absl::AnyInvocable<absl::Status(const CallScope&)>& handler) {
    if (scope.IsCancelled()) return absl::CancelledError("the client is gone");
    if (scope.deadline <= absl::Now())
      return absl::DeadlineExceededError("no worker was free in time");
    return handler(scope);
  }

  void OnCancel() override { cancelled_->store(true); }
  void OnDone() override { delete this; }

  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
};

// Lives until OnDone, which comes after Finish.
class AsyncReactor final : public grpc::ServerUnaryReactor {
 public:
  const std::shared_ptr<std::atomic<bool>>& cancelled() const { return cancelled_; }

 private:
  void OnCancel() override { cancelled_->store(true); }
  void OnDone() override { delete this; }

  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
};

// Finishes a call, whatever becomes of it.
class Finisher {
 public:
  explicit Finisher(AsyncReactor* reactor) : reactor_(reactor) {}
  Finisher(Finisher&& other) noexcept : reactor_(std::exchange(other.reactor_, nullptr)) {}
  ~Finisher() {
    if (reactor_ != nullptr) (*this)(absl::InternalError("the call was dropped"));
  }
  void operator()(const absl::Status& status) {
    std::exchange(reactor_, nullptr)->Finish(ToGrpc(status));
  }

 private:
  AsyncReactor* reactor_;
};

}  // namespace

grpc::ServerUnaryReactor* RunAsync(
    grpc::CallbackServerContext* context,
    absl::FunctionRef<void(const CallScope& scope, absl::AnyInvocable<void(absl::Status)> finish)>
        begin) {
  absl::StatusOr<CallScope> scope = AdmittedScope(*context);
  auto* reactor = new AsyncReactor();
  if (!scope.ok()) {
    reactor->Finish(ToGrpc(scope.status()));
    return reactor;
  }
  scope->cancelled = reactor->cancelled();
  begin(*scope, Finisher(reactor));
  return reactor;
}

grpc::ServerUnaryReactor* RunUnary(
    grpc::CallbackServerContext* context, exec::ThreadPool& pool,
    absl::AnyInvocable<absl::Status(const CallScope& scope)> handler) {
  absl::StatusOr<CallScope> scope = AdmittedScope(*context);
  auto* reactor = new UnaryReactor();
  if (scope.ok()) {
    reactor->Run(*std::move(scope), pool, std::move(handler));
  } else {
    reactor->Finish(ToGrpc(scope.status()));
  }
  return reactor;
}

}  // namespace skerry::rpc
