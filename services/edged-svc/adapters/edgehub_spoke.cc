#include "services/edged-svc/adapters/edgehub_spoke.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/tunnel_service.grpc.pb.h"
#include "services/edged-svc/adapters/event_proto.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/tunnel_client.h"
#include "services/lib/link/tunnel_set.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edged {
namespace {

namespace hub = skerry::edgehub::v1;

constexpr absl::Duration kRetryMin = absl::Milliseconds(200);
constexpr char kEvents[] = "events";

hub::SpokeFrame Registration() {
  hub::SpokeFrame frame;
  hub::Register& message = *frame.mutable_register_();
  message.set_spoke("edged-svc");
  message.add_tunnel_types("kubelet");
  // What happened is told after what is: after an outage the status of pods goes first.
  hub::EventStream& stream = *message.add_event_streams();
  stream.set_name(kEvents);
  stream.set_priority(hub::EventStream::PRIORITY_BULK);
  stream.set_when_full(hub::EventStream::WHEN_FULL_DROP_OLDEST);
  return frame;
}

}  // namespace

struct EdgehubSpoke::Impl : std::enable_shared_from_this<EdgehubSpoke::Impl> {
  using Tunnel = link::TunnelClient<hub::JoinTunnelResponse, hub::JoinTunnelRequest>;

  Impl(const Options& o, EventRecorder& r, exec::SerialExecutor& e, Serve s, log::Logger l)
      : options(o), events(r), executor(e), serve(std::move(s)), log(std::move(l)) {}

  const Options options;
  EventRecorder& events;
  exec::SerialExecutor& executor;
  const Serve serve;
  const log::Logger log;
  std::shared_ptr<grpc::Channel> channel;
  link::TunnelSet calls;  // The attachment too.

  absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  uint64_t attempt ABSL_GUARDED_BY(mutex) = 0;
  // Of the attempt; null where that is over, or just begins.
  std::shared_ptr<rpc::Stream<hub::SpokeFrame>> stream ABSL_GUARDED_BY(mutex);
  absl::Duration backoff ABSL_GUARDED_BY(mutex) = kRetryMin;
  bool complained ABSL_GUARDED_BY(mutex) = false;
  bool registered ABSL_GUARDED_BY(mutex) = false;
  uint64_t request ABSL_GUARDED_BY(mutex) = 0;    // Of the last batch of events.
  size_t outstanding ABSL_GUARDED_BY(mutex) = 0;  // Events of it; 0: it was answered.
  bool events_paused ABSL_GUARDED_BY(mutex) = false;

  void Attach();
  void OnFrame(const hub::HubFrame& frame);
  void OnClosed(uint64_t closed, const absl::Status& status);
  void Join(const hub::TunnelRequest& request);
  void PutEvents();
  void OnEventsStored(const hub::EventsStored& answer);
};

void EdgehubSpoke::Impl::Attach() {
  if (!calls.Begin()) return;
  uint64_t own = 0;
  {
    absl::MutexLock lock(&mutex);
    own = ++attempt;
  }
  auto stub = hub::SpokeService::NewStub(channel);
  rpc::StreamEvents<hub::HubFrame> events;
  events.on_message = [self = shared_from_this()](const hub::HubFrame& frame) {
    self->OnFrame(frame);
  };
  events.on_closed = [self = shared_from_this(), own](absl::Status status) {
    self->OnClosed(own, status);
  };
  auto dialled = rpc::DialBidi<hub::HubFrame, hub::SpokeFrame>(
      [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); }, {},
      std::move(events));
  dialled->Send(Registration());
  {
    absl::MutexLock lock(&mutex);
    if (stopping) dialled->Close(absl::CancelledError("edged-svc is stopping"));
    if (attempt == own) stream = std::move(dialled);  // Else it is closed already.
  }
  PutEvents();  // Registered may have come before.
}

void EdgehubSpoke::Impl::OnFrame(const hub::HubFrame& frame) {
  if (frame.has_tunnel_request()) return Join(frame.tunnel_request());
  if (frame.has_events_stored()) return OnEventsStored(frame.events_stored());
  if (!frame.has_registered()) return;
  {
    absl::MutexLock lock(&mutex);
    backoff = kRetryMin;
    complained = false;
    registered = true;
  }
  PutEvents();
}

void EdgehubSpoke::Impl::OnClosed(uint64_t closed, const absl::Status& status) {
  absl::Duration delay;
  {
    absl::MutexLock lock(&mutex);
    if (attempt == closed) ++attempt;
    stream = nullptr;
    registered = false;
    if (outstanding > 0) events.Answered(0, 0);
    outstanding = 0;
    if (!stopping && !std::exchange(complained, true))
      log.Warning("edgehub-svc is out of reach, will retry", status);
    absl::BitGen random;
    delay = backoff * absl::Uniform(random, 0.0, 1.0);
    backoff = std::min(backoff * 2, options.reconnect_max);
  }
  executor.PostAfter(delay, [self = shared_from_this()] { self->Attach(); });
  calls.Ended();
}

void EdgehubSpoke::Impl::Join(const hub::TunnelRequest& request) {
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

// One batch at a time. A repeat after a lost answer is stored once more and changes nothing in the
// end: see event.proto.
void EdgehubSpoke::Impl::PutEvents() {
  absl::MutexLock lock(&mutex);
  if (!registered || stream == nullptr || outstanding > 0 || events_paused) return;
  const std::vector<EventRecord> batch = events.Take();
  if (batch.empty()) return;
  hub::SpokeFrame frame;
  hub::PutEvents& put = *frame.mutable_put_events();
  put.set_request_id(++request);
  put.set_stream(kEvents);
  for (const EventRecord& event : batch) {
    hub::PutEvents::Event& out = *put.add_events();
    SetTime(event.last, out.mutable_time());
    out.set_value(ToProto(event).SerializeAsString());
  }
  outstanding = batch.size();
  stream->Send(std::move(frame));
}

void EdgehubSpoke::Impl::OnEventsStored(const hub::EventsStored& answer) {
  const absl::Status status = rpc::FromProto(answer.status());
  {
    absl::MutexLock lock(&mutex);
    if (outstanding == 0 || answer.request_id() != request) return;
    const size_t stored =
        status.ok() ? outstanding : std::min<size_t>(answer.stored(), outstanding);
    // What is refused for good would hold up all others.
    const bool refused = absl::IsInvalidArgument(status);
    events.Answered(stored, refused ? outstanding - stored : 0);
    outstanding = 0;
    if (!status.ok()) log.Warning("edgehub-svc did not take events", status);
    if (!status.ok() && !refused) {
      events_paused = true;
      executor.PostAfter(options.store_retry, [self = shared_from_this()] {
        {
          absl::MutexLock relock(&self->mutex);
          self->events_paused = false;
        }
        self->PutEvents();
      });
    }
  }
  PutEvents();
}

absl::StatusOr<std::unique_ptr<EdgehubSpoke>> EdgehubSpoke::Create(const Options& options,
                                                                   EventRecorder& events,
                                                                   exec::SerialExecutor& executor,
                                                                   Serve serve, log::Logger log) {
  auto impl = std::make_shared<Impl>(options, events, executor, std::move(serve), std::move(log));
  SKERRY_ASSIGN_OR_RETURN(impl->channel, rpc::MakeChannel({.target = options.address,
                                                           .backoff_max = options.reconnect_max}));
  return std::unique_ptr<EdgehubSpoke>(new EdgehubSpoke(std::move(impl)));
}

EdgehubSpoke::~EdgehubSpoke() { Stop(); }

void EdgehubSpoke::Start() {
  impl_->events.SetWake([impl = impl_] { impl->PutEvents(); });
  impl_->executor.Post([impl = impl_] { impl->Attach(); });
}

void EdgehubSpoke::Stop() {
  impl_->events.SetWake(nullptr);
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
