#include "services/eventbus-svc/adapters/twin_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "services/eventbus-svc/wire/twin_messages.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/backoff.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server_reader_client.h"

namespace skerry::eventbus {
namespace {

namespace v1 = skerry::twin::v1;

constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr absl::Duration kRetryMin = absl::Milliseconds(200);
constexpr size_t kUntoldMax = 16;
constexpr int kMessageBytesMax = 16 << 20;  // A write answers with two whole twins.
// One is at work while the next one is on its way. What comes meanwhile goes together: the more
// there is, the less each costs.
constexpr int kWriteCallsMax = 2;
constexpr size_t kBatchMax = 64;
constexpr size_t kBatchBytesMax = 1 << 20;  // Or one.

absl::Status Stopping() { return absl::UnavailableError("the service is stopping"); }

// Of a call of many writes, and not for want of twin-svc: one of them may be why.
bool IsOfOne(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status);
}

}  // namespace

struct TwinClient::Impl : std::enable_shared_from_this<TwinClient::Impl> {
  Impl(const Options& o, exec::SerialExecutor& e, log::Logger g)
      : options(o),
        executor(e),
        log(std::move(g)),
        backoff(kRetryMin, o.reconnect_max, absl::Uniform<uint64_t>(random)) {}

  const Options options;
  exec::SerialExecutor& executor;
  const log::Logger log;
  std::unique_ptr<v1::TwinService::Stub> stub;

  absl::Mutex mutex;
  bool closed ABSL_GUARDED_BY(mutex) = false;
  std::set<grpc::ClientContext*> calls ABSL_GUARDED_BY(mutex);
  bool watching ABSL_GUARDED_BY(mutex) = false;  // on_closed is still to come.

  // On the executor.
  absl::BitGen random;
  link::Backoff backoff;
  TwinWatcher* watcher = nullptr;
  std::shared_ptr<rpc::StreamControl> stream;
  bool complained = false;

  struct PendingWrite {
    v1::WriteTwinRequest request;
    WriteDone done;
  };
  std::deque<PendingWrite> writes ABSL_GUARDED_BY(mutex);  // As many as the caller has under way.
  int write_calls ABSL_GUARDED_BY(mutex) = 0;

  // Sends what waits, as far as calls may be under way.
  void SendWrites();
  std::vector<PendingWrite> TakeWrites() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void SendOne(PendingWrite write, absl::AnyInvocable<void()> ended);
  void SendMany(std::vector<PendingWrite> writes);
  void OnWritten(std::vector<PendingWrite> sent, v1::BatchWriteTwinsResponse response);
  void EndWriteCall();

  void Dial();
  void OnMessage(v1::WatchTwinsResponse response);
  void OnClosed(const absl::Status& status);

  bool Begin(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex);
    if (!closed) calls.insert(context);
    return !closed;
  }
  void Ended(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex);
    calls.erase(context);
  }

  // Calls `start(context, request, response, on_done)`; `done` gets what comes of it.
  template <typename Response, typename Request, typename Start>
  void Call(Request request, const Start& start,
            absl::AnyInvocable<void(absl::StatusOr<Response>)> done) {
    struct State {
      grpc::ClientContext context;
      Request request;
      Response response;
      absl::AnyInvocable<void(absl::StatusOr<Response>)> done;
    };
    auto state = std::make_shared<State>();
    state->request = std::move(request);
    state->done = std::move(done);
    state->context.set_deadline(rpc::DeadlineIn(kTimeout));
    if (!Begin(&state->context)) {
      executor.Post([self = shared_from_this(), state] { state->done(Stopping()); });
      return;
    }
    start(&state->context, &state->request, &state->response,
          [self = shared_from_this(), state](const grpc::Status& status) {
            if (status.ok()) {
              state->done(std::move(state->response));
            } else {
              // Nobody but Close() cancels: what it was for has not failed.
              absl::Status error = rpc::FromGrpc(status);
              state->done(absl::IsCancelled(error) ? Stopping() : std::move(error));
            }
            self->Ended(&state->context);
          });
  }
};

void TwinClient::Impl::Dial() {
  {
    absl::MutexLock lock(&mutex);
    if (closed || watching) return;
    watching = true;
  }
  watcher->OnTwinsConnected(true);
  rpc::StreamEvents<v1::WatchTwinsResponse> events;
  events.on_message = [self = shared_from_this()](v1::WatchTwinsResponse response) {
    self->executor.Post(
        [self, response = std::move(response)]() mutable { self->OnMessage(std::move(response)); });
  };
  events.on_closed = [self = shared_from_this()](absl::Status status) {
    // As one: the next Dial(), which may follow at once, finds this watch over.
    absl::MutexLock lock(&self->mutex);
    self->executor.Post([self, status] { self->OnClosed(status); });
    self->watching = false;
  };
  rpc::StreamOptions stream_options;
  stream_options.unconsumed_max = kUntoldMax;
  stream = rpc::DialReader<v1::WatchTwinsRequest, v1::WatchTwinsResponse>(
      {},
      [this](auto* context, const auto* request, auto* reactor) {
        stub->async()->WatchTwins(context, request, reactor);
      },
      stream_options, std::move(events));
}

void TwinClient::Impl::OnMessage(v1::WatchTwinsResponse response) {
  if (stream == nullptr) return;
  switch (response.event_case()) {
    case v1::WatchTwinsResponse::kUpserted:
      watcher->OnTwin(std::move(*response.mutable_upserted()));
      break;
    case v1::WatchTwinsResponse::kDeleted: {
      const absl::StatusOr<DeviceName> device = DeviceOf(response.deleted().name());
      if (device.ok()) watcher->OnTwinDeleted(*device);
      break;
    }
    case v1::WatchTwinsResponse::kSynced:
      backoff.Reset();
      complained = false;
      watcher->OnTwinsSynced();
      break;
    case v1::WatchTwinsResponse::EVENT_NOT_SET:
      break;
  }
  stream->Consumed();
}

void TwinClient::Impl::OnClosed(const absl::Status& status) {
  stream = nullptr;
  watcher->OnTwinsConnected(false);
  if (!std::exchange(complained, true)) {
    log.Warning("twin-svc is out of reach, will retry", status, {{"address", options.address}});
  }
  executor.PostAfter(backoff.Next(), [self = shared_from_this()] { self->Dial(); });
}

// ---- writes ----

void TwinClient::Impl::SendWrites() {
  while (true) {
    std::vector<PendingWrite> next;
    {
      absl::MutexLock lock(&mutex);
      if (writes.empty() || write_calls == kWriteCallsMax) return;
      ++write_calls;
      next = TakeWrites();
    }
    if (next.size() > 1) {
      SendMany(std::move(next));
    } else {
      SendOne(std::move(next.front()), [this] { EndWriteCall(); });
    }
  }
}

std::vector<TwinClient::Impl::PendingWrite> TwinClient::Impl::TakeWrites() {
  std::vector<PendingWrite> taken;
  for (size_t bytes = 0; !writes.empty() && taken.size() < kBatchMax;) {
    bytes += writes.front().request.ByteSizeLong();
    if (bytes > kBatchBytesMax && !taken.empty()) break;
    taken.push_back(std::move(writes.front()));
    writes.pop_front();
  }
  return taken;
}

void TwinClient::Impl::SendOne(PendingWrite write, absl::AnyInvocable<void()> ended) {
  Call<v1::WriteTwinResponse>(
      std::move(write.request),
      [this](auto* context, const auto* message, auto* response, auto on_done) {
        stub->async()->WriteTwin(context, message, response, std::move(on_done));
      },
      [done = std::move(write.done),
       ended = std::move(ended)](absl::StatusOr<v1::WriteTwinResponse> response) mutable {
        done(std::move(response));
        ended();
      });
}

void TwinClient::Impl::SendMany(std::vector<PendingWrite> sent) {
  v1::BatchWriteTwinsRequest request;
  for (const PendingWrite& write : sent) *request.add_requests() = write.request;
  Call<v1::BatchWriteTwinsResponse>(
      std::move(request),
      [this](auto* context, const auto* message, auto* response, auto on_done) {
        stub->async()->BatchWriteTwins(context, message, response, std::move(on_done));
      },
      [this, sent = std::move(sent)](absl::StatusOr<v1::BatchWriteTwinsResponse> response) mutable {
        if (response.ok()) {
          OnWritten(std::move(sent), *std::move(response));
        } else if (IsOfOne(response.status())) {
          // Or a twin-svc of before that knows no such call, as there is one during an upgrade.
          // What was done all the same is known again by its id.
          for (PendingWrite& write : sent) SendOne(std::move(write), [] {});
        } else {
          for (PendingWrite& write : sent) write.done(response.status());
        }
        EndWriteCall();
      });
}

void TwinClient::Impl::OnWritten(std::vector<PendingWrite> sent,
                                 v1::BatchWriteTwinsResponse response) {
  std::vector<PendingWrite> again;
  for (size_t i = 0; i < sent.size(); ++i) {
    if (i >= static_cast<size_t>(response.results_size())) {
      sent[i].done(absl::InternalError(absl::StrCat("twin-svc has answered ",
                                                    response.results_size(), " of ", sent.size(),
                                                    " writes: are both of one release?")));
      continue;
    }
    v1::BatchWriteTwinsResponse::Result& result = *response.mutable_results(static_cast<int>(i));
    if (result.has_written()) {
      sent[i].done(std::move(*result.mutable_written()));
      continue;
    }
    const absl::Status status = rpc::FromProto(result.error());
    if (i > 0 && GetErrorInfo(status).reason == "ANSWER_FULL") {
      again.push_back(std::move(sent[i]));
    } else {
      sent[i].done(status.ok() ? absl::InternalError("twin-svc's answer has no result") : status);
    }
  }
  absl::MutexLock lock(&mutex);
  writes.insert(writes.begin(), std::make_move_iterator(again.begin()),
                std::make_move_iterator(again.end()));
}

void TwinClient::Impl::EndWriteCall() {
  {
    absl::MutexLock lock(&mutex);
    --write_calls;
  }
  SendWrites();
}

absl::StatusOr<std::unique_ptr<TwinClient>> TwinClient::Create(const Options& options,
                                                               exec::SerialExecutor& executor,
                                                               log::Logger log) {
  auto impl = std::make_shared<Impl>(options, executor, std::move(log));
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                          rpc::MakeChannel({.target = options.address,
                                            .message_bytes_max = kMessageBytesMax,
                                            .backoff_max = options.reconnect_max}));
  impl->stub = v1::TwinService::NewStub(channel);
  return std::unique_ptr<TwinClient>(new TwinClient(std::move(impl)));
}

TwinClient::~TwinClient() { Close(); }

void TwinClient::Watch(TwinWatcher& watcher) {
  impl_->executor.Post([impl = impl_, &watcher] {
    impl->watcher = &watcher;
    impl->Dial();
  });
}

void TwinClient::Close() {
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->closed = true;
    for (grpc::ClientContext* context : impl_->calls) context->TryCancel();
  }
  impl_->executor.Run([impl = impl_.get()] {
    if (impl->stream != nullptr) impl->stream->Close(absl::CancelledError("the watcher ends"));
  });
  absl::MutexLock lock(&impl_->mutex);
  const auto over = [impl = impl_.get()]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return impl->calls.empty() && !impl->watching;
  };
  impl_->mutex.Await(absl::Condition(&over));
}

void TwinClient::GetTwin(const DeviceName& device, TwinDone done) {
  v1::GetTwinRequest request;
  request.set_name(TwinNameOf(device));
  impl_->Call<v1::Twin>(
      request,
      [this](auto* context, const auto* message, auto* response, auto on_done) {
        impl_->stub->async()->GetTwin(context, message, response, std::move(on_done));
      },
      std::move(done));
}

void TwinClient::WriteTwin(const v1::WriteTwinRequest& request, WriteDone done) {
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->writes.push_back({request, std::move(done)});
  }
  impl_->SendWrites();
}

void TwinClient::ReportState(const v1::ReportStateRequest& request, StateDone done) {
  impl_->Call<v1::DeviceState>(
      request,
      [this](auto* context, const auto* message, auto* response, auto on_done) {
        impl_->stub->async()->ReportState(context, message, response, std::move(on_done));
      },
      std::move(done));
}

}  // namespace skerry::eventbus
