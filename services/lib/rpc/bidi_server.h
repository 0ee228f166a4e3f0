// The server's end of a bidirectional stream.
#ifndef SKERRY_SERVICES_LIB_RPC_BIDI_SERVER_H_
#define SKERRY_SERVICES_LIB_RPC_BIDI_SERVER_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/rpc/call_scope.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/scope.h"
#include "services/lib/rpc/stream.h"
#include "services/lib/rpc/stream_core.h"
#include "services/lib/rpc/stream_owner.h"

namespace skerry::rpc {
namespace internal {

// Lives from the call's start to OnDone, then deletes itself.
template <typename In, typename Out>
class BidiServerReactor final : public grpc::ServerBidiReactor<In, Out>, private Transport<Out> {
 public:
  BidiServerReactor(grpc::CallbackServerContext* context, const StreamOptions& options)
      : context_(context),
        core_(std::make_shared<StreamCore<Out>>(options, static_cast<Transport<Out>*>(this))) {}

  template <typename Accept>
  void Begin(const Accept& accept) {
    absl::StatusOr<CallScope> scope = ScopeOf(*context_);
    if (scope.ok()) {
      scope->cancelled = cancelled_;
      owner_.Set(accept(*scope, std::shared_ptr<Stream<Out>>(core_)));
    } else {
      core_->Close(scope.status());
      owner_.Set({});
    }
    core_->StartReading();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return core_->OnHalfClosed();
    owner_.TellRead(incoming_, *core_);
  }

  void OnWriteDone(bool ok) override {
    const bool drained = core_->OnWriteDone(ok);
    if (ok) owner_.TellWritten(drained);
  }

  void OnCancel() override {
    cancelled_->store(true);
    core_->OnCancel();
  }

  void OnDone() override {
    core_->Detach();
    owner_.TellClosed(Result());
    delete this;
  }

 private:
  absl::Status Result() const {
    if (core_->failed()) return core_->outcome();
    if (core_->closed_by_us()) return absl::OkStatus();
    return cancelled_->load() ? absl::CancelledError("the client is gone") : absl::OkStatus();
  }

  void StartRead() override {
    if (!finished_) grpc::ServerBidiReactor<In, Out>::StartRead(&incoming_);
  }
  void StartWrite(const Out& message) override {
    grpc::ServerBidiReactor<In, Out>::StartWrite(&message);
  }
  void StartEnd(const absl::Status& status) override {
    finished_ = true;
    this->Finish(ToGrpc(status));
  }
  void Cancel() override { context_->TryCancel(); }

  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<StreamCore<Out>> core_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  StreamOwner<In> owner_;
  In incoming_;
  bool finished_ = false;  // Under the core's lock.
};

}  // namespace internal

// What a service method returns for a stream of In from and Out to the client. `accept` is called
// here and now, as StreamEvents<In>(const CallScope&, std::shared_ptr<Stream<Out>>); to refuse a
// call it calls stream->Close(error) and returns {}. Not called for a call that the server does not
// admit.
template <typename In, typename Out, typename Accept>
grpc::ServerBidiReactor<In, Out>* AcceptBidi(grpc::CallbackServerContext* context,
                                             const StreamOptions& options, const Accept& accept) {
  auto* reactor = new internal::BidiServerReactor<In, Out>(context, options);
  reactor->Begin(accept);
  return reactor;
}

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_BIDI_SERVER_H_
