// The server's end of a server stream: a watch.
#ifndef SKERRY_SERVICES_LIB_RPC_SERVER_WRITER_H_
#define SKERRY_SERVICES_LIB_RPC_SERVER_WRITER_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/rpc/call_scope.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/scope.h"
#include "services/lib/rpc/stream.h"
#include "services/lib/rpc/stream_core.h"

namespace skerry::rpc {
namespace internal {

// Lives from the call's start to OnDone, then deletes itself.
template <typename Out>
class WriterReactor final : public grpc::ServerWriteReactor<Out>, private Transport<Out> {
 public:
  WriterReactor(grpc::CallbackServerContext* context, const StreamOptions& options)
      : context_(context),
        core_(std::make_shared<StreamCore<Out>>(options, static_cast<Transport<Out>*>(this))) {}

  template <typename Accept>
  void Begin(const Accept& accept) {
    absl::StatusOr<CallScope> scope = ScopeOf(*context_);
    if (!scope.ok()) return core_->Close(scope.status());
    scope->cancelled = cancelled_;
    events_ = accept(*scope, std::shared_ptr<Stream<Out>>(core_));
  }

  void OnWriteDone(bool ok) override {
    if (core_->OnWriteDone(ok) && events_.on_drained) events_.on_drained();
  }

  void OnCancel() override {
    cancelled_->store(true);
    core_->OnCancel();
  }

  void OnDone() override {
    core_->Detach();
    if (events_.on_closed) events_.on_closed(Result());
    delete this;
  }

 private:
  absl::Status Result() const {
    if (core_->failed()) return core_->outcome();
    if (core_->closed_by_us()) return absl::OkStatus();
    return absl::CancelledError("the client is gone");
  }

  void StartRead() override {}
  void StartWrite(const Out& message) override {
    grpc::ServerWriteReactor<Out>::StartWrite(&message);
  }
  void StartEnd(const absl::Status& status) override { this->Finish(ToGrpc(status)); }
  void Cancel() override { context_->TryCancel(); }

  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<StreamCore<Out>> core_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  WriterEvents events_;
};

}  // namespace internal

// What a service method returns for a stream of Out to the client. `accept` is called here and now,
// as WriterEvents(const CallScope&, std::shared_ptr<Stream<Out>>); to refuse a call it calls
// stream->Close(error) and returns {}. Not called for a call that the server does not admit.
template <typename Out, typename Accept>
grpc::ServerWriteReactor<Out>* AcceptWriter(grpc::CallbackServerContext* context,
                                            const StreamOptions& options, const Accept& accept) {
  auto* reactor = new internal::WriterReactor<Out>(context, options);
  reactor->Begin(accept);
  return reactor;
}

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SERVER_WRITER_H_
