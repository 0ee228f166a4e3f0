#include "services/lib/hubclient/hub_client_impl.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/hubclient/hub_frames.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::hubclient {
namespace {

namespace hub = skerry::edgehub::v1;

constexpr size_t kUnconsumedMax = 64;           // Frames of the hub that are not handled yet.
constexpr size_t kBytesAtOnce = 1u << 20;       // Handed to the transport at a time.
constexpr size_t kPendingBytesMax = 48u << 20;  // With every command that may be under way.

absl::Status Replaced() {
  return Error(absl::StatusCode::kAborted, "a newer value of the key has replaced this one")
      .Reason("REPORT_REPLACED");
}

}  // namespace

absl::Status Stopping() {
  return Error(absl::StatusCode::kUnavailable, "the service is stopping").Reason("STOPPING");
}

absl::Status Busy(size_t bytes_max) {
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat(bytes_max, " bytes wait for edgehub-svc: try again later"))
      .Reason("HUB_BUSY");
}

bool HubClient::Impl::Reserve(size_t bytes) {
  const size_t held = waiting_bytes.fetch_add(bytes) + bytes;
  if (held > options.waiting_bytes_max) {
    waiting_bytes.fetch_sub(bytes);
    metrics.busy.Increment();
    return false;
  }
  metrics.waiting_bytes.Set(static_cast<double>(held));
  return true;
}

void HubClient::Impl::Release(size_t bytes) {
  metrics.waiting_bytes.Set(static_cast<double>(waiting_bytes.fetch_sub(bytes) - bytes));
}

void HubClient::Impl::Dial() {
  {
    absl::MutexLock lock(&mutex);
    if (stopping) return;
    stream_open = true;
  }
  const uint64_t own = ++attempt;
  rpc::StreamEvents<hub::HubFrame> stream_events{
      .on_message =
          [self = shared_from_this(), own](hub::HubFrame frame) {
            self->Post([own, frame = std::move(frame)](Impl& impl) mutable {
              impl.OnFrame(own, std::move(frame));
            });
          },
      .on_closed =
          [self = shared_from_this(), own](absl::Status status) {
            // As one: the next Dial(), which may follow at once, opens the next stream.
            absl::MutexLock lock(&self->mutex);
            self->PostLocked([own, status](Impl& impl) { impl.OnClosed(own, status); });
            self->stream_open = false;  // Stop may return now.
          },
      .on_drained = [self = shared_from_this()] { self->PostForward(); }};
  stream = dialer({.pending_bytes_max = kPendingBytesMax, .unconsumed_max = kUnconsumedMax},
                  std::move(stream_events));
  stream->Send(RegistrationOf(options.spoke, options.report_types, options.event_streams,
                              options.command_types));
}

void HubClient::Impl::OnClosed(uint64_t closed, absl::Status status) {
  if (closed != attempt) return;
  stream = nullptr;
  const bool was_attached = attached.exchange(false);
  metrics.attached.Set(0);
  metrics.link_connected.Set(0);
  for (Report& report : reports.Detach()) End(std::move(report), Replaced());
  for (auto& [name, batch] : batches) batch.request_id = 0;
  if (was_attached || failures == 0) {
    log.Warning("edgehub-svc is out of reach: what goes up waits", status);
  }
  if (was_attached && events.on_attached) events.on_attached(false);
  // Full jitter, so that the services of a box that starts do not dial in step.
  const absl::Duration longest = std::min(
      options.reconnect_min * (int64_t{1} << std::min(failures, 10)), options.reconnect_max);
  ++failures;
  PostAfter(options.reconnect_min + longest * absl::Uniform(random, 0.0, 1.0),
            [](Impl& impl) { impl.Dial(); });
}

void HubClient::Impl::OnFrame(uint64_t of, hub::HubFrame frame) {
  if (of != attempt || stream == nullptr) return;
  const std::shared_ptr<HubStream> from = stream;
  switch (frame.body_case()) {
    case hub::HubFrame::kRegistered:
      OnRegistered();
      break;
    case hub::HubFrame::kLinkState:
      metrics.link_connected.Set(frame.link_state().connected() ? 1 : 0);
      if (events.on_link_state) {
        events.on_link_state(frame.link_state().connected(), frame.link_state().reason());
      }
      break;
    case hub::HubFrame::kReportStored:
      OnReportStored(frame.report_stored());
      break;
    case hub::HubFrame::kEventsStored:
      OnEventsStored(frame.events_stored());
      break;
    case hub::HubFrame::kCommandRequest:
      OnCommand(*frame.mutable_command_request());
      break;
    default:  // Of a newer hub.
      break;
  }
  from->Consumed();
}

void HubClient::Impl::OnRegistered() {
  failures = 0;
  attached.store(true);
  metrics.attached.Set(1);
  log.Info("attached to edgehub-svc");
  if (events.on_attached) events.on_attached(true);
  Forward();
}

void HubClient::Impl::OnReportStored(const hub::ReportStored& answer) {
  const absl::Status status = rpc::FromProto(answer.status());
  ReportQueue::Answer answered = reports.Answered(answer.request_id(), status);
  switch (answered.verdict) {
    case ReportQueue::Verdict::kStored:
      metrics.reports_stored.Increment();
      End(*std::move(answered.report), absl::OkStatus());
      break;
    case ReportQueue::Verdict::kRefused:
      metrics.reports_refused.Increment();
      log.Warning("edgehub-svc refused a report for good", status,
                  {{"type", answered.report->type}, {"key", answered.report->key}});
      End(*std::move(answered.report), status);
      break;
    case ReportQueue::Verdict::kRetry:
      metrics.retries.Increment();
      if (answered.report.has_value()) End(*std::move(answered.report), Replaced());
      PauseReports(status);
      break;
    case ReportQueue::Verdict::kUnknown:
      break;
  }
  Forward();
}

void HubClient::Impl::OnEventsStored(const hub::EventsStored& answer) {
  const auto it = std::find_if(batches.begin(), batches.end(), [&](const auto& each) {
    return each.second.request_id != 0 && each.second.request_id == answer.request_id();
  });
  if (it == batches.end()) return;
  Batch& batch = it->second;
  const absl::Status status = rpc::FromProto(answer.status());
  const size_t left = batch.events.events.size() - batch.stored;
  const size_t stored = status.ok() ? left : std::min<size_t>(answer.stored(), left);
  batch.request_id = 0;
  batch.stored += stored;
  metrics.events_stored.Increment(static_cast<double>(stored));
  if (GetErrorInfo(status).reason == "STREAM_UNREGISTERED") {
    // The hub could not store the stream when it was registered: that is to be done again.
    metrics.retries.Increment();
    log.Warning("edgehub-svc does not have the stream", status, {{"stream", it->first.first}});
    failures = std::max(failures, 10);
    return stream->Close(status);
  }
  if (status.ok() || IsRefusedForGood(status)) {
    if (!status.ok()) {
      metrics.event_puts_refused.Increment();
      log.Warning("edgehub-svc refused an event for good", status, {{"stream", it->first.first}});
    }
    Batch ended = std::move(batch);
    batches.erase(it);
    Release(ended.bytes);
    ended.done({ended.stored, status});
  } else {
    metrics.retries.Increment();
    PauseEvents(status);
  }
  Forward();
}

// All that is under way is likely to be answered with the same: it is told once.
void HubClient::Impl::PauseReports(const absl::Status& why) {
  if (std::exchange(reports_paused, true)) return;
  log.Warning("edgehub-svc can't take reports now", why);
  PostAfter(options.store_retry, [](Impl& impl) {
    impl.reports_paused = false;
    impl.reports.Resume();
    impl.Forward();
  });
}

void HubClient::Impl::PauseEvents(const absl::Status& why) {
  if (std::exchange(events_paused, true)) return;
  log.Warning("edgehub-svc can't take events now", why);
  PostAfter(options.store_retry, [](Impl& impl) {
    impl.events_paused = false;
    impl.Forward();
  });
}

void HubClient::Impl::End(Report report, const absl::Status& status) {
  Release(report.bytes());
  if (GetErrorInfo(status).reason == "REPORT_REPLACED") metrics.reports_replaced.Increment();
  report.done(status);
}

void HubClient::Impl::Put(Report report) {
  std::optional<Report> older = reports.Put(std::move(report));
  if (older.has_value()) End(*std::move(older), Replaced());
  Forward();
}

void HubClient::Impl::Put(StreamName name, Batch batch) {
  if (batches.count(name) > 0) {
    Release(batch.bytes);
    return batch.done(
        {0, Error(absl::StatusCode::kFailedPrecondition,
                  "the answer to the last batch of this stream and producer is outstanding")
                .Reason("PUT_OUTSTANDING")});
  }
  batches.emplace(std::move(name), std::move(batch));
  Forward();
}

void HubClient::Impl::PostForward() {
  if (forward_posted.exchange(true)) return;
  Post([](Impl& impl) {
    impl.forward_posted.store(false);
    impl.Forward();
  });
}

void HubClient::Impl::Forward() {
  if (!attached.load() || stream == nullptr) return;
  for (auto& [name, batch] : batches) {
    if (events_paused || stream->pending_bytes() >= kBytesAtOnce) break;
    if (batch.request_id != 0) continue;
    batch.request_id = ++last_put;
    stream->Send(FrameOf(batch.request_id, batch.events, batch.stored));
  }
  while (stream->pending_bytes() < kBytesAtOnce) {
    const std::optional<ReportQueue::Sent> next = reports.Next();
    if (!next.has_value()) break;
    stream->Send(FrameOf(next->request_id, next->report));
  }
}

void HubClient::Impl::Close() {
  if (std::exchange(stopped, true)) return;
  if (stream != nullptr) stream->Close(absl::CancelledError("the service is stopping"));
  attached.store(false);
  metrics.attached.Set(0);
  metrics.link_connected.Set(0);
  for (Report& report : reports.Clear()) End(std::move(report), Stopping());
  for (auto& [name, batch] : std::exchange(batches, {})) {
    Release(batch.bytes);
    batch.done({batch.stored, Stopping()});
  }
}

}  // namespace skerry::hubclient
