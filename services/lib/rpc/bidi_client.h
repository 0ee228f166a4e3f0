// The client's end of a bidirectional stream.
#ifndef SKERRY_SERVICES_LIB_RPC_BIDI_CLIENT_H_
#define SKERRY_SERVICES_LIB_RPC_BIDI_CLIENT_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/stream.h"
#include "services/lib/rpc/stream_core.h"
#include "services/lib/rpc/stream_owner.h"

namespace skerry::rpc {
namespace internal {

// Lives from StartCall to OnDone, then deletes itself. The hold keeps OnDone away while other
// threads may still start writes; it goes when reading has ended, which every end of a call leads
// to.
template <typename In, typename Out>
class BidiClientReactor final : public grpc::ClientBidiReactor<Out, In>, private Transport<Out> {
 public:
  BidiClientReactor(const StreamOptions& options, StreamEvents<In> events)
      : core_(std::make_shared<StreamCore<Out>>(options, static_cast<Transport<Out>*>(this))) {
    owner_.Set(std::move(events));
  }

  template <typename Start>
  std::shared_ptr<Stream<Out>> Begin(const Start& start) {
    std::shared_ptr<Stream<Out>> stream =
        core_;  // `this` may be gone as soon as the call has begun.
    start(&context_, static_cast<grpc::ClientBidiReactor<Out, In>*>(this));
    this->AddHold();
    core_->StartReading();
    this->StartCall();
    return stream;
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      core_->OnInputEnded();
      this->RemoveHold();
      return;
    }
    owner_.TellRead(incoming_, *core_);
  }

  void OnWriteDone(bool ok) override {
    const bool drained = core_->OnWriteDone(ok);
    if (ok) owner_.TellWritten(drained);
  }

  void OnDone(const grpc::Status& status) override {
    core_->Detach();
    owner_.TellClosed(Result(status));
    delete this;
  }

 private:
  absl::Status Result(const grpc::Status& status) const {
    absl::Status ours = core_->outcome();
    return ours.ok() ? FromGrpc(status) : ours;
  }

  void StartRead() override { grpc::ClientBidiReactor<Out, In>::StartRead(&incoming_); }
  void StartWrite(const Out& message) override {
    grpc::ClientBidiReactor<Out, In>::StartWrite(&message);
  }
  void StartEnd(const absl::Status& status) override {
    if (status.ok()) {
      this->StartWritesDone();
    } else {
      context_.TryCancel();
    }
  }
  void Cancel() override { context_.TryCancel(); }

  grpc::ClientContext context_;
  const std::shared_ptr<StreamCore<Out>> core_;
  StreamOwner<In> owner_;
  In incoming_;
};

}  // namespace internal

// Opens a stream of Out to and In from the server. `start(context, reactor)` may set metadata,
// deadline or wait_for_ready on the context, and must start the call:
// stub->async()->Attach(context, reactor). A server that can't be reached shows as
// on_closed(UNAVAILABLE). The stub need not outlive the call.
template <typename In, typename Out, typename Start>
std::shared_ptr<Stream<Out>> DialBidi(const Start& start, const StreamOptions& options,
                                      StreamEvents<In> events) {
  auto* reactor = new internal::BidiClientReactor<In, Out>(options, std::move(events));
  return reactor->Begin(start);
}

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_BIDI_CLIENT_H_
