#include "services/edge-meta-svc/adapters/hub_spoke.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edgemeta {
namespace {

constexpr size_t kObjectBytesMax = 3u << 19;  // 1.5 MiB, the limit of Kubernetes.
constexpr size_t kUnconsumedMax = 64;         // Frames taken from the hub and not yet handled.
constexpr size_t kBatchBytesMax = 4u << 20;   // Of objects in one transaction.
constexpr size_t kReportsInFlightMax = 32;
constexpr size_t kReportBytesAtOnce = 1u << 20;  // Handed to the transport at a time.
constexpr size_t kHoldingBytesAtOnce = 512u << 10;
constexpr int kHoldingsAtOnce = 2048;  // The link's bound for one frame.

ResourceEvent ToEvent(link::v1::ResourceChange change) {
  ResourceEvent event{change.type(), change.subscription_id(), change.sequence(), {}};
  if (change.has_upsert()) {
    link::v1::Upsert& upsert = *change.mutable_upsert();
    event.change = ResourceEvent::Upsert{std::move(*upsert.mutable_key()),
                                         std::move(*upsert.mutable_version()),
                                         std::move(*upsert.mutable_object())};
  } else if (change.has_delete_()) {
    event.change = ResourceEvent::Delete{std::move(*change.mutable_delete_()->mutable_key())};
  } else if (change.has_synced()) {
    event.change = ResourceEvent::Synced{};
  }
  return event;
}

edgehub::v1::SpokeFrame ToFrame(const Report& report) {
  edgehub::v1::SpokeFrame frame;
  edgehub::v1::PutReport& put = *frame.mutable_put_report();
  put.set_request_id(static_cast<uint64_t>(report.number));
  link::v1::Report& out = *put.mutable_report();
  out.set_type(report.type);
  out.set_key(report.key);
  out.set_generation(report.generation);
  out.mutable_time()->set_wall_micros(report.time.wall_micros);
  out.mutable_time()->set_logical(report.time.logical);
  out.set_value(report.value);
  return frame;
}

}  // namespace

HubSpoke::HubSpoke(Options options, HubDialer dialer, MetaStore& store,
                   exec::SerialExecutor& executor, Clock& clock, Publish publish,
                   MetaMetrics& metrics, const log::Logger& log)
    : options_(std::move(options)),
      dialer_(std::move(dialer)),
      store_(store),
      executor_(executor),
      clock_(clock),
      publish_(std::move(publish)),
      metrics_(metrics),
      log_(log),
      machine_(kObjectBytesMax),
      lag_(options_.resource_types, executor, clock, metrics),
      window_(kReportsInFlightMax) {}

HubSpoke::~HubSpoke() { Stop(); }

void HubSpoke::Start() {
  executor_.Post([this] { Dial(); });
}

void HubSpoke::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  executor_.Run([this] {
    if (stream_ != nullptr) stream_->Close(absl::CancelledError("stopping"));
  });
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](bool* open) { return !*open; }, &stream_open_));
}

void HubSpoke::ReportsChanged() {
  if (forward_posted_.exchange(true)) return;
  executor_.Post([this] {
    forward_posted_.store(false);
    ForwardReports();
  });
}

void HubSpoke::Dial() {
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    stream_open_ = true;
    inbox_.clear();
  }
  const uint64_t attempt = ++attempt_;
  broken_ = false;
  metrics_.dials.Increment();
  rpc::StreamEvents<edgehub::v1::HubFrame> events{
      .on_message = [this,
                     attempt](edgehub::v1::HubFrame frame) { OnFrame(attempt, std::move(frame)); },
      .on_closed = [this, attempt](absl::Status status) { OnClosed(attempt, std::move(status)); },
      .on_drained = [this] { ReportsChanged(); }};
  stream_ = dialer_({.unconsumed_max = kUnconsumedMax}, std::move(events));
  edgehub::v1::SpokeFrame frame;
  edgehub::v1::Register& registration = *frame.mutable_register_();
  registration.set_spoke("edge-meta-svc");
  for (const std::string& type : options_.resource_types) registration.add_resource_types(type);
  for (const std::string& type : options_.report_types) registration.add_report_types(type);
  stream_->Send(std::move(frame));
}

void HubSpoke::OnFrame(uint64_t attempt, edgehub::v1::HubFrame frame) {
  absl::MutexLock lock(&mutex_);
  inbox_.push_back(std::move(frame));
  if (drain_posted_) return;
  drain_posted_ = executor_.Post([this, attempt] { Drain(attempt); });
}

void HubSpoke::OnClosed(uint64_t attempt, absl::Status status) {
  // As one: the next Dial opens the next stream.
  absl::MutexLock lock(&mutex_);
  executor_.Post([this, status] { Ended(status); });
  stream_open_ = false;  // The last touch of `this` by this stream.
}

void HubSpoke::Drain(uint64_t attempt) {
  std::deque<edgehub::v1::HubFrame> frames;
  {
    absl::MutexLock lock(&mutex_);
    drain_posted_ = false;
    frames.swap(inbox_);
  }
  if (attempt != attempt_ || stream_ == nullptr) return;
  Batch batch;
  std::vector<int64_t> answered;
  for (edgehub::v1::HubFrame& frame : frames) {
    if (!broken_) HandleFrame(std::move(frame), batch, answered);
    stream_->Consumed();
  }
  Commit(batch);
  absl::Status dropped = store_.DropReports(answered);
  if (!dropped.ok()) log_.Error("reports could not be forgotten; the hub gets them again", dropped);
  ForwardReports();
}

void HubSpoke::HandleFrame(edgehub::v1::HubFrame frame, Batch& batch,
                           std::vector<int64_t>& answered) {
  switch (frame.body_case()) {
    case edgehub::v1::HubFrame::kResource:
      Fold(std::move(*frame.mutable_resource()), batch);
      if (batch.bytes >= kBatchBytesMax) Commit(batch);
      break;
    case edgehub::v1::HubFrame::kRegistered:
      failures_ = 0;
      attached_.store(true);
      metrics_.attached.Set(1);
      window_.Attach();
      log_.Info("attached to edgehub-svc", {{"node", frame.registered().node()}});
      break;
    case edgehub::v1::HubFrame::kLinkState:
      Commit(batch);  // What came before is the former link's.
      if (broken_) break;
      metrics_.link_connected.Set(frame.link_state().connected() ? 1 : 0);
      lag_.Linked(frame.link_state().connected());
      break;
    case edgehub::v1::HubFrame::kSubscribeRequest:
      Commit(batch);  // What is held must include it.
      if (!broken_) HandleSubscribeRequest(frame.subscribe_request());
      break;
    case edgehub::v1::HubFrame::kReportStored:
      HandleReportStored(frame.report_stored(), answered);
      break;
    default:  // Of a newer hub.
      break;
  }
}

void HubSpoke::HandleSubscribeRequest(const edgehub::v1::SubscribeRequest& request) {
  const auto& types = options_.resource_types;
  if (std::find(types.begin(), types.end(), request.type()) == types.end()) {
    log_.Warning("edgehub-svc asks for a type that is not kept here", {{"type", request.type()}});
    return;
  }
  auto holdings = store_.Holdings(request.type());
  if (!holdings.ok()) return Break(holdings.status());
  machine_.Subscribe(request.type(), request.subscription_id());
  lag_.Subscribed(request.type());
  auto next = holdings->begin();
  do {
    edgehub::v1::SpokeFrame frame;
    edgehub::v1::Subscribe& subscribe = *frame.mutable_subscribe();
    subscribe.set_type(request.type());
    subscribe.set_subscription_id(request.subscription_id());
    for (size_t bytes = 0; next != holdings->end() && bytes < kHoldingBytesAtOnce &&
                           subscribe.holdings_size() < kHoldingsAtOnce;
         ++next) {
      link::v1::Holding& holding = *subscribe.add_holdings();
      bytes += next->first.size() + next->second.size() + 8;
      holding.set_key(next->first);
      holding.set_version(next->second);
    }
    subscribe.set_more(next != holdings->end());
    stream_->Send(std::move(frame));
  } while (next != holdings->end());
}

void HubSpoke::Fold(link::v1::ResourceChange change, Batch& batch) {
  Folded folded = Folded::kTaken;
  const std::string type = change.type();
  absl::Status status = machine_.Fold(ToEvent(std::move(change)), batch, folded);
  if (!status.ok()) {
    Commit(batch);
    return Break(status);
  }
  if (folded == Folded::kStale) metrics_.messages_stale.Increment();
  if (folded == Folded::kRejected) {
    metrics_.objects_rejected.Increment();
    log_.Warning("an object from the cloud was refused", batch.acks[type].rejections.back().second,
                 {{"type", type}});
  }
}

void HubSpoke::Commit(Batch& batch) {
  if (batch.empty() || broken_) return;
  absl::StatusOr<std::vector<watch::Change>> changes = store_.Apply(batch, clock_.Now());
  if (!changes.ok()) {
    metrics_.commits_failed.Increment();
    return Break(Annotate(changes.status(), "the store refused a batch"));
  }
  metrics_.commits_ok.Increment();
  refused_ = 0;
  for (const watch::Change& change : *changes) {
    (change.deleted ? metrics_.changes_deleted : metrics_.changes_upserted).Increment();
  }
  metrics_.revision.Set(static_cast<double>(store_.Revision()));
  for (auto& [type, ack] : batch.acks) {
    edgehub::v1::SpokeFrame frame;
    edgehub::v1::ResourceDone& done = *frame.mutable_resource_done();
    done.set_type(type);
    done.set_subscription_id(ack.subscription_id);
    done.set_sequence(ack.sequence);
    for (const auto& [sequence, status] : ack.rejections) {
      link::v1::Rejection& rejection = *done.add_rejections();
      rejection.set_sequence(sequence);
      *rejection.mutable_status() = rpc::ToProto(status);
    }
    stream_->Send(std::move(frame));
  }
  for (const std::string& type : batch.synced) {
    lag_.InStep(type);
    log_.Info("in sync with the cloud", {{"type", type}});
  }
  batch = {};
  publish_(*std::move(changes));
}

void HubSpoke::HandleReportStored(const edgehub::v1::ReportStored& stored,
                                  std::vector<int64_t>& answered) {
  const int64_t number = static_cast<int64_t>(stored.request_id());
  const absl::Status status = rpc::FromProto(stored.status());
  switch (window_.OnAnswer(number, status)) {
    case ReportWindow::Verdict::kDone:
      metrics_.reports_forwarded.Increment();
      answered.push_back(number);
      break;
    case ReportWindow::Verdict::kRefused:
      metrics_.reports_refused.Increment();
      log_.Warning("edgehub-svc refused a report for good", status);
      answered.push_back(number);
      break;
    case ReportWindow::Verdict::kRetry:
      metrics_.reports_retried.Increment();
      log_.Warning("edgehub-svc can't take reports now", status);
      if (!std::exchange(retry_posted_, true)) {
        executor_.PostAfter(options_.report_retry, [this] { RetryReports(); });
      }
      break;
    case ReportWindow::Verdict::kUnknown:
      break;
  }
}

void HubSpoke::RetryReports() {
  retry_posted_ = false;
  window_.Restart();
  ForwardReports();
}

void HubSpoke::ForwardReports() {
  absl::StatusOr<int64_t> waiting = store_.CountReports();
  if (waiting.ok()) metrics_.reports_pending.Set(static_cast<double>(*waiting));
  if (stream_ == nullptr || broken_) return;
  while (window_.room() > 0 && stream_->pending_bytes() < kReportBytesAtOnce) {
    auto reports = store_.Reports(window_.cursor(), window_.room(), kReportBytesAtOnce);
    if (!reports.ok()) return log_.Error("reports can't be read", reports.status());
    if (reports->empty()) return;
    for (const Report& report : *reports) {
      if (window_.Send(report.number)) stream_->Send(ToFrame(report));
    }
  }
}

void HubSpoke::Break(const absl::Status& status) {
  log_.Error("the stream to edgehub-svc is given up", status);
  broken_ = true;
  ++refused_;
  machine_.Reset();
  window_.Detach();
  stream_->Close(status);
}

void HubSpoke::Ended(const absl::Status& status) {
  const bool was_attached = attached_.exchange(false);
  metrics_.attached.Set(0);
  metrics_.link_connected.Set(0);
  lag_.Linked(false);
  stream_ = nullptr;
  machine_.Reset();
  window_.Detach();
  if (was_attached || failures_ == 0) {
    log_.Warning("not attached to edgehub-svc; the box works from its store", status);
  }
  // Full jitter, so that the services of a box that starts do not dial in step.
  absl::Duration longest = options_.reconnect_min * (1 << std::min(failures_, 10));
  longest = std::min(longest, options_.reconnect_max);
  ++failures_;
  absl::Duration pause = options_.reconnect_min + longest * absl::Uniform(random_, 0.0, 1.0);
  if (refused_ > 0) {
    // Every attempt makes the cloud send again what could not be stored: a full disk must not cost
    // a link.
    pause = std::max(pause,
                     std::min(absl::Minutes(1), absl::Seconds(1) * (1 << std::min(refused_, 6))) *
                         absl::Uniform(random_, 0.5, 1.0));
  }
  executor_.PostAfter(pause, [this] { Dial(); });
}

}  // namespace skerry::edgemeta
