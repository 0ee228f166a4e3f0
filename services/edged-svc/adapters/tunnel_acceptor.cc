#include "services/edged-svc/adapters/tunnel_acceptor.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/tunnel_service.grpc.pb.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/tunnel_client.h"
#include "services/lib/link/tunnel_set.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/channel.h"

namespace skerry::edged {
namespace {

namespace hub = skerry::edgehub::v1;

constexpr absl::Duration kRetryMin = absl::Milliseconds(200);

}  // namespace

struct TunnelAcceptor::Impl : std::enable_shared_from_this<TunnelAcceptor::Impl> {
  using Tunnel = link::TunnelClient<hub::JoinTunnelResponse, hub::JoinTunnelRequest>;

  Impl(const Options& o, exec::SerialExecutor& e, Serve s, log::Logger l)
      : options(o), executor(e), serve(std::move(s)), log(std::move(l)) {}

  const Options options;
  exec::SerialExecutor& executor;
  const Serve serve;
  const log::Logger log;
  std::shared_ptr<grpc::Channel> channel;
  link::TunnelSet calls;  // The attachment too.

  absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::shared_ptr<rpc::Stream<hub::SpokeFrame>> stream ABSL_GUARDED_BY(mutex);
  absl::Duration backoff ABSL_GUARDED_BY(mutex) = kRetryMin;
  bool complained ABSL_GUARDED_BY(mutex) = false;

  void Attach();
  void OnFrame(const hub::HubFrame& frame);
  void OnClosed(const absl::Status& status);
  void Join(const hub::TunnelRequest& request);
};

void TunnelAcceptor::Impl::Attach() {
  if (!calls.Begin()) return;
  auto stub = hub::SpokeService::NewStub(channel);
  rpc::StreamEvents<hub::HubFrame> events;
  events.on_message = [self = shared_from_this()](const hub::HubFrame& frame) {
    self->OnFrame(frame);
  };
  events.on_closed = [self = shared_from_this()](absl::Status status) { self->OnClosed(status); };
  auto dialled = rpc::DialBidi<hub::HubFrame, hub::SpokeFrame>(
      [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); }, {},
      std::move(events));
  hub::SpokeFrame frame;
  frame.mutable_register_()->set_spoke("edged-svc");
  frame.mutable_register_()->add_tunnel_types("kubelet");
  dialled->Send(std::move(frame));
  absl::MutexLock lock(&mutex);
  if (stopping) dialled->Close(absl::CancelledError("edged-svc is stopping"));
  stream = std::move(dialled);
}

void TunnelAcceptor::Impl::OnFrame(const hub::HubFrame& frame) {
  if (frame.has_tunnel_request()) return Join(frame.tunnel_request());
  if (!frame.has_registered()) return;
  absl::MutexLock lock(&mutex);
  backoff = kRetryMin;
  complained = false;
}

void TunnelAcceptor::Impl::OnClosed(const absl::Status& status) {
  absl::Duration delay;
  {
    absl::MutexLock lock(&mutex);
    stream = nullptr;
    if (!stopping && !std::exchange(complained, true))
      log.Warning("edgehub-svc is out of reach, will retry", status);
    absl::BitGen random;
    delay = backoff * absl::Uniform(random, 0.0, 1.0);
    backoff = std::min(backoff * 2, options.reconnect_max);
  }
  executor.PostAfter(delay, [self = shared_from_this()] { self->Attach(); });
  calls.Ended();
}

void TunnelAcceptor::Impl::Join(const hub::TunnelRequest& request) {
  if (!calls.Begin()) return;
  hub::JoinTunnelRequest first;
  first.mutable_join()->set_epoch(request.epoch());
  first.mutable_join()->set_tunnel_id(request.tunnel_id());
  auto stub = hub::TunnelService::NewStub(channel);
  auto tunnel = Tunnel::Dial(
      [&](auto* context, auto* reactor) { stub->async()->JoinTunnel(context, reactor); },
      std::move(first), [self = shared_from_this()] { self->calls.Ended(); });
  calls.Add(tunnel);
  serve(std::move(tunnel));
}

absl::StatusOr<std::unique_ptr<TunnelAcceptor>> TunnelAcceptor::Create(
    const Options& options, exec::SerialExecutor& executor, Serve serve, log::Logger log) {
  auto impl = std::make_shared<Impl>(options, executor, std::move(serve), std::move(log));
  SKERRY_ASSIGN_OR_RETURN(impl->channel, rpc::MakeChannel({.target = options.address,
                                                           .backoff_max = options.reconnect_max}));
  return std::unique_ptr<TunnelAcceptor>(new TunnelAcceptor(std::move(impl)));
}

TunnelAcceptor::~TunnelAcceptor() { Stop(); }

void TunnelAcceptor::Start() {
  impl_->executor.Post([impl = impl_] { impl->Attach(); });
}

void TunnelAcceptor::Stop() {
  std::shared_ptr<rpc::Stream<hub::SpokeFrame>> stream;
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->stopping = true;
    stream = impl_->stream;
  }
  if (stream != nullptr) stream->Close(absl::CancelledError("edged-svc is stopping"));
  impl_->calls.Stop();
}

}  // namespace skerry::edged
