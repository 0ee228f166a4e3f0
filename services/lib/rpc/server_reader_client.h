// The client's end of a server stream: what follows a watch.
#ifndef SKERRY_SERVICES_LIB_RPC_SERVER_READER_CLIENT_H_
#define SKERRY_SERVICES_LIB_RPC_SERVER_READER_CLIENT_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/stream.h"
#include "services/lib/rpc/stream_core.h"

namespace skerry::rpc {
namespace internal {

// Lives from StartCall to OnDone, then deletes itself. The hold is there because Consumed() starts
// reads from other threads.
template <typename Req, typename In>
class ReaderClientReactor final : public grpc::ClientReadReactor<In>, private Transport<Req> {
 public:
  ReaderClientReactor(Req request, const StreamOptions& options, StreamEvents<In> events)
      : request_(std::move(request)),
        core_(std::make_shared<StreamCore<Req>>(options, static_cast<Transport<Req>*>(this))),
        events_(std::move(events)) {}

  template <typename Start>
  std::shared_ptr<StreamControl> Begin(const Start& start) {
    std::shared_ptr<StreamControl> stream =
        core_;  // `this` may be gone as soon as the call has begun.
    start(&context_, static_cast<const Req*>(&request_),
          static_cast<grpc::ClientReadReactor<In>*>(this));
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
    if (core_->OnReadDone() && events_.on_message) events_.on_message(std::move(incoming_));
    incoming_.Clear();
    core_->NextRead();
  }

  void OnDone(const grpc::Status& status) override {
    core_->Detach();
    if (events_.on_closed) {
      bool ours = core_->closed_by_us();
      events_.on_closed(ours ? core_->outcome() : FromGrpc(status));
    }
    delete this;
  }

 private:
  void StartRead() override { grpc::ClientReadReactor<In>::StartRead(&incoming_); }
  void StartWrite(const Req&) override {}
  void StartEnd(const absl::Status&) override {
    context_.TryCancel();
  }  // A reader has nothing to half-close.
  void Cancel() override { context_.TryCancel(); }

  grpc::ClientContext context_;
  const Req request_;
  const std::shared_ptr<StreamCore<Req>> core_;
  StreamEvents<In> events_;
  In incoming_;
};

}  // namespace internal

// Opens a stream of In from the server. `start(context, request, reactor)` must start the call:
// stub->async()->WatchObjects(context, request, reactor). Close cancels the call whatever its
// status, which on_closed then gets.
template <typename Req, typename In, typename Start>
std::shared_ptr<StreamControl> DialReader(Req request, const Start& start,
                                          const StreamOptions& options, StreamEvents<In> events) {
  auto* reactor =
      new internal::ReaderClientReactor<Req, In>(std::move(request), options, std::move(events));
  return reactor->Begin(start);
}

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SERVER_READER_CLIENT_H_
