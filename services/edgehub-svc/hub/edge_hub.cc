#include "services/edgehub-svc/hub/edge_hub.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"

namespace skerry::edgehub {
namespace {

namespace edge = link::edge;

constexpr absl::Duration kJournalRetry = absl::Seconds(5);

}  // namespace

struct EdgeHub::Gate {
  absl::Mutex mutex;
  EdgeHub* hub ABSL_GUARDED_BY(mutex) = nullptr;  // Null once it has stopped.

  void Post(edge::Event event) {
    absl::MutexLock lock(&mutex);
    if (hub == nullptr) return;
    hub->executor_.Post(
        [hub = hub, event = std::move(event)]() mutable { hub->Feed(std::move(event)); });
  }
  void PostFrame(uint64_t connection, link::CloudFrame frame, size_t bytes) {
    absl::MutexLock lock(&mutex);
    if (hub == nullptr) return;
    hub->executor_.Post([hub = hub, connection, frame = std::move(frame), bytes]() mutable {
      hub->OnFrame(connection, std::move(frame), bytes);
    });
  }
};

EdgeHub::EdgeHub(const Config& config, JournalStore& journal, EventStore& events,
                 CommandStore& commands, CloudDialer& dialer, Clock& clock, EdgeHubMetrics& metrics,
                 log::Logger log)
    : config_(config),
      journal_(journal),
      events_(events),
      commands_(commands),
      dialer_(dialer),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      gate_(std::make_shared<Gate>()),
      machine_(config.session),
      change_time_(clock.Now()),
      executor_("hub", clock) {
  absl::MutexLock lock(&gate_->mutex);
  gate_->hub = this;
}

EdgeHub::~EdgeHub() { Stop(); }

void EdgeHub::Start() {
  executor_.Post([this] {
    absl::StatusOr<std::map<std::string, uint64_t>> sequences = journal_.LastSequences();
    if (!sequences.ok()) {
      StoreFailed("journal", sequences.status());
    } else {
      for (const auto& [type, sequence] : *sequences) Feed(edge::ReportStored{type, sequence});
    }
    metrics_.Journal(journal_.stats());
    FeedStreams({});
    DropExpired();
    Feed(edge::Start{});
  });
}

void EdgeHub::Stop() {
  executor_.Run([this] {
    Feed(edge::Stop{});
    link_ = nullptr;
    for (const auto& [id, spoke] : spokes_) {
      spoke.port->Close(
          Error(absl::StatusCode::kUnavailable, "edgehub-svc is going away").Reason("DRAINING"));
    }
    spokes_.clear();
  });
  {
    absl::MutexLock lock(&gate_->mutex);
    gate_->hub = nullptr;
  }
  executor_.Stop();
}

// ---- from the spokes ----

link::SpokeId EdgeHub::Attach(absl::string_view name, std::vector<std::string> resource_types,
                              std::vector<std::string> report_types,
                              std::shared_ptr<SpokePort> port,
                              std::vector<EventStream> event_streams,
                              std::vector<std::string> tunnel_types,
                              std::vector<std::string> command_types) {
  const link::SpokeId id = ++last_spoke_;
  executor_.Post([this, id, name = std::string(name), resource_types = std::move(resource_types),
                  report_types = std::move(report_types), port = std::move(port),
                  event_streams = std::move(event_streams), tunnel_types = std::move(tunnel_types),
                  command_types = std::move(command_types)]() mutable {
    log_.Info("spoke attached", {{"spoke", name}});
    spokes_[id] = {name, {report_types.begin(), report_types.end()}, {}, std::move(port)};
    metrics_.Spokes(spokes_.size());
    DeclareStreams(id, event_streams);
    Feed(edge::SpokeAttached{id, std::move(resource_types), std::move(report_types),
                             std::move(tunnel_types), std::move(command_types)});
  });
  return id;
}

void EdgeHub::Detach(link::SpokeId spoke) {
  executor_.Post([this, spoke] {
    auto it = spokes_.find(spoke);
    if (it == spokes_.end()) return;
    log_.Info("spoke detached", {{"spoke", it->second.name}});
    spokes_.erase(it);
    metrics_.Spokes(spokes_.size());
    Feed(edge::SpokeDetached{spoke});
  });
}

void EdgeHub::Subscribe(link::SpokeId spoke, link::Subscribe subscribe,
                        absl::AnyInvocable<void()> after) {
  executor_.Post(
      [this, spoke, subscribe = std::move(subscribe), after = std::move(after)]() mutable {
        Feed(edge::SpokeSubscribe{spoke, std::move(subscribe)});
        after();
      });
}

void EdgeHub::ResourceDone(link::SpokeId spoke, link::ResourceAck ack,
                           absl::AnyInvocable<void()> after) {
  executor_.Post([this, spoke, ack = std::move(ack), after = std::move(after)]() mutable {
    Feed(edge::ResourceDone{spoke, std::move(ack)});
    after();
  });
}

void EdgeHub::PutReport(link::SpokeId spoke, uint64_t request_id, link::Report report,
                        absl::AnyInvocable<void()> after) {
  executor_.Post(
      [this, spoke, request_id, report = std::move(report), after = std::move(after)]() mutable {
        waiting_.push_back({spoke, request_id, std::move(report), std::move(after)});
        // All that is queued by now goes into one commit: it costs as much as that of one report.
        if (waiting_.size() == 1) executor_.Post([this] { StoreWaiting(); });
      });
}

void EdgeHub::StoreWaiting() {
  std::vector<WaitingReport> waiting = std::exchange(waiting_, {});
  std::vector<WaitingReport*> accepted;
  std::vector<link::Report> reports;
  for (WaitingReport& item : waiting) {
    auto it = spokes_.find(item.spoke);
    if (it == spokes_.end()) continue;  // It can't be told any more; it will put it again.
    if (it->second.report_types.count(item.report.type) == 0) {
      Answer(item, InvalidField("type", item.report.type, "register it as a report type"));
      continue;
    }
    accepted.push_back(&item);
    reports.push_back(std::move(item.report));
  }
  if (!reports.empty()) {
    absl::StatusOr<std::vector<absl::StatusOr<uint64_t>>> outcomes = journal_.Put(reports);
    if (!outcomes.ok()) StoreFailed("journal", outcomes.status());
    for (size_t i = 0; i < accepted.size(); ++i) {
      const absl::StatusOr<uint64_t> outcome = outcomes.ok() ? (*outcomes)[i] : outcomes.status();
      if (!outcome.ok() && GetErrorInfo(outcome.status()).reason == "JOURNAL_FULL")
        metrics_.Dropped("full", 1);
      if (outcome.ok()) metrics_.ReportStored();
      Answer(*accepted[i], outcome.status());
      if (outcome.ok()) Feed(edge::ReportStored{reports[i].type, *outcome});
    }
    metrics_.Journal(journal_.stats());
  }
  for (WaitingReport& item : waiting) item.after();
}

void EdgeHub::StoreFailed(const char* store, const absl::Status& status) {
  log_.Error("a store can't be read or written", status, {{"store", store}});
  metrics_.StoreFailed(store, status);
}

void EdgeHub::Answer(const WaitingReport& waiting, absl::Status status) {
  SendTo(waiting.spoke, ReportStored{waiting.request_id, std::move(status)});
}

void EdgeHub::SendTo(link::SpokeId spoke, SpokeMessage message) {
  auto it = spokes_.find(spoke);
  if (it != spokes_.end()) it->second.port->Send(std::move(message));
}

void EdgeHub::DropExpired() {
  absl::StatusOr<int64_t> dropped = journal_.DropExpired();
  if (!dropped.ok()) {
    StoreFailed("journal", dropped.status());
  } else if (*dropped > 0) {
    log_.Warning("reports were dropped that the cloud did not take in time",
                 {{"entries", *dropped}});
    metrics_.Dropped("expired", *dropped);
  }
  metrics_.Journal(journal_.stats());  // Its oldest time follows the clock.
  DropExpiredEvents();
  DropExpiredCommands();
  executor_.PostAfter(config_.expiry_interval, [this] { DropExpired(); });
}

std::function<void(link::tunnel::UserEvent)> EdgeHub::JoinTunnel(
    uint64_t epoch, uint64_t tunnel, std::shared_ptr<link::tunnel::UserPort> port) {
  executor_.Post([this, epoch, tunnel, port = std::move(port)] {
    if (!machine_.CanJoin(epoch, tunnel)) {
      return port->Tell(link::tunnel::End{
          Error(absl::StatusCode::kNotFound, "this tunnel is not offered, or not any more")
              .Reason("TUNNEL_UNKNOWN")});
    }
    tunnels_[tunnel] = port;
    metrics_.TunnelJoined();
    metrics_.Tunnels(tunnels_.size());
    Feed(edge::JoinTunnel{tunnel});
  });
  return [this, epoch, tunnel](link::tunnel::UserEvent event) {
    executor_.Post([this, epoch, tunnel, event = std::move(event)]() mutable {
      if (machine_.epoch() != epoch || tunnels_.count(tunnel) == 0) return;
      // A user that ends the tunnel hears no more of it.
      if (std::holds_alternative<link::tunnel::End>(event)) tunnels_.erase(tunnel);
      metrics_.Tunnels(tunnels_.size());
      Feed(link::tunnel::FromUser{tunnel, std::move(event)});
    });
  };
}

EdgeHub::Snapshot EdgeHub::TakeSnapshot() {
  Snapshot snapshot;
  executor_.Run([&] {
    snapshot.connected = machine_.connected();
    snapshot.change_time = change_time_;
    snapshot.reason = machine_.down_reason();
    snapshot.epoch = machine_.epoch();
    if (machine_.next_dial() != absl::InfiniteDuration()) {
      snapshot.next_dial_time = clock_.Now() + (machine_.next_dial() - clock_.Monotonic());
    }
    for (link::EdgeSession::TypeStatus& type : machine_.types()) {
      auto it = spokes_.find(type.spoke);
      snapshot.types.push_back({std::move(type.type), it == spokes_.end() ? "" : it->second.name,
                                type.synced, type.last_sequence});
    }
    snapshot.journal = journal_.stats();
    snapshot.streams = events_.stats();
    snapshot.traffic = metrics_.LinkBytes();
    const link::ByteBudget& budget = machine_.budget();
    snapshot.limit = budget.limit();
    snapshot.budget_left_bytes = budget.left_bytes(clock_.Monotonic());
    snapshot.budget_awaited = budget.waiting();
    snapshot.budget_waited = budget.waited(clock_.Monotonic());
  });
  return snapshot;
}

// ---- the machine ----

void EdgeHub::Feed(edge::Event event) {
  for (edge::Effect& effect : machine_.Step(std::move(event), clock_.Monotonic())) {
    std::visit([this](auto& e) { Perform(std::move(e)); }, effect);
  }
  if (const link::ByteBudget& budget = machine_.budget(); budget.limited()) {
    const absl::Duration now = clock_.Monotonic();
    metrics_.Budget(budget.left_bytes(now), budget.waited(now));
  }
  Arm();
}

void EdgeHub::Perform(edge::Dial effect) {
  metrics_.Dialed();
  const uint64_t connection = link_connection_ = effect.connection;
  link_ = dialer_.Dial(
      {.on_frame = [gate = gate_, connection](
                       link::CloudFrame frame,
                       size_t bytes) { gate->PostFrame(connection, std::move(frame), bytes); },
       .on_invalid =
           [gate = gate_, connection](absl::Status status) {
             gate->Post(edge::InvalidFrame{connection, status});
           },
       .on_closed =
           [gate = gate_, connection](absl::Status status) {
             gate->Post(edge::LinkClosed{connection, status});
           },
       .on_drained = [gate = gate_, connection] { gate->Post(edge::Drained{connection}); }});
}

void EdgeHub::OnFrame(uint64_t connection, link::CloudFrame frame, size_t bytes) {
  metrics_.BytesDown(link::ClassOf(frame), bytes);
  Feed(edge::FrameReceived{connection, std::move(frame)});
  if (link_ != nullptr && link_connection_ == connection) link_->Consumed();
}

void EdgeHub::Perform(edge::Send effect) {
  if (link_ != nullptr) link_->Send(std::move(effect.frame));
}

void EdgeHub::Perform(edge::CloseLink effect) {
  if (link_ != nullptr) link_->Close(std::move(effect.status));
}

void EdgeHub::Perform(edge::ToSpoke effect) {
  if (auto* state = std::get_if<edge::LinkState>(&effect.message)) {
    SendTo(effect.spoke, LinkStateChange{state->connected, change_time_, std::move(state->reason)});
  } else if (auto* request = std::get_if<edge::SubscribeRequest>(&effect.message)) {
    SendTo(effect.spoke, std::move(*request));
  } else if (auto* tunnel = std::get_if<edge::TunnelRequest>(&effect.message)) {
    SendTo(effect.spoke, std::move(*tunnel));
  } else if (auto* command = std::get_if<edge::CommandRequest>(&effect.message)) {
    SendTo(effect.spoke, std::move(*command));
  } else {
    SendTo(effect.spoke, std::get<link::ResourceChange>(std::move(effect.message)));
  }
}

void EdgeHub::Perform(edge::CloseSpoke effect) {
  auto it = spokes_.find(effect.spoke);
  if (it == spokes_.end()) return;
  log_.Warning("spoke cut off", effect.status, {{"spoke", it->second.name}});
  it->second.port->Close(effect.status);
  spokes_.erase(it);
  metrics_.Spokes(spokes_.size());
}

void EdgeHub::Perform(edge::FetchReports effect) {
  absl::StatusOr<JournalStore::Batch> batch =
      journal_.Read(effect.type, effect.after, effect.count_max, effect.bytes_max);
  if (batch.ok()) {
    if (!batch->reports.empty())
      round_trip_.Sent(effect.type, batch->reports.back().sequence, clock_.Monotonic());
    executor_.Post([this, effect, batch = *std::move(batch)]() mutable {
      Feed(edge::ReportsFetched{effect.connection, effect.type, std::move(batch.reports),
                                batch.more});
    });
    return;
  }
  StoreFailed("journal", batch.status());
  executor_.PostAfter(kJournalRetry, [this, effect] {
    Feed(edge::ReportsFetched{effect.connection, effect.type, {}, true});
  });
}

void EdgeHub::Perform(edge::TrimReports effect) {
  const auto took = round_trip_.Applied(effect.type, effect.up_to, clock_.Monotonic());
  if (took.has_value()) metrics_.RoundTrip(*took);
  for (const link::Rejection& rejection : effect.rejections) {
    log_.Warning("the cloud refused a report", rejection.status,
                 {{"type", effect.type}, {"sequence", rejection.sequence}});
  }
  if (!effect.rejections.empty())
    metrics_.Dropped("rejected", static_cast<int64_t>(effect.rejections.size()));
  // A trim that fails is made good by the next: at worst reports are sent again.
  absl::Status status = journal_.Trim(effect.type, effect.up_to);
  if (!status.ok()) StoreFailed("journal", status);
  metrics_.Journal(journal_.stats());
}

void EdgeHub::Perform(edge::StoreEpoch effect) {
  absl::Status status = journal_.StoreEpoch(effect.epoch);
  if (!status.ok()) return StoreFailed("journal", status);
  executor_.Post([this, epoch = effect.epoch] { Feed(edge::EpochStored{epoch}); });
}

void EdgeHub::Perform(link::tunnel::ToUser effect) {
  auto it = tunnels_.find(effect.tunnel);
  if (it == tunnels_.end()) return;
  const std::shared_ptr<link::tunnel::UserPort> port = it->second;
  if (std::holds_alternative<link::tunnel::End>(effect.body)) tunnels_.erase(it);
  metrics_.Tunnels(tunnels_.size());
  port->Tell(std::move(effect.body));
}

void EdgeHub::Perform(edge::Connected effect) {
  change_time_ = clock_.Now();
  const absl::Duration skew = effect.welcome.cloud_time - change_time_;
  metrics_.Connected(skew, effect.welcome.heartbeat_interval);
  log_.Info("connected to the cloud", {{"hub", effect.welcome.hub},
                                       {"epoch", effect.welcome.epoch},
                                       {"heartbeat_interval", effect.welcome.heartbeat_interval}});
  if (absl::AbsDuration(skew) > config_.clock_skew_warning) {
    log_.Warning("this box's clock differs from the cloud's: set up time synchronisation",
                 {{"skew", skew}});
  }
}

void EdgeHub::Perform(edge::IntervalAdapted effect) {
  log_.Info("the heartbeat interval follows the line", {{"from", effect.from}, {"to", effect.to}});
  metrics_.IntervalAdapted(effect);
}

void EdgeHub::Perform(edge::Disconnected effect) {
  if (effect.was_connected) change_time_ = clock_.Now();
  metrics_.Disconnected(effect.was_connected, GetErrorInfo(effect.status).reason, effect.silence);
  link_ = nullptr;
  round_trip_.Abandon();
  const log::Field dial_in("dial_in", effect.dial_in);
  if (!effect.was_connected) {
    log_.Warning("the cloud can't be reached", effect.status, {dial_in});
  } else if (effect.status.ok()) {
    log_.Info("the hub closed the link", {dial_in});
  } else {
    log_.Warning("disconnected from the cloud", effect.status, {dial_in});
  }
}

void EdgeHub::Perform(link::CompressionBytes effect) { metrics_.Compression(effect); }

void EdgeHub::Perform(edge::Count effect) { metrics_.Incident(effect.incident); }

// The timer is moved only to fire earlier: one that fires early finds nothing due and is set again.
void EdgeHub::Arm() {
  const absl::Duration due = machine_.NextWake();
  if (due >= timer_due_) return;
  if (timer_ != 0) executor_.Cancel(timer_);
  timer_due_ = due;
  timer_ = executor_.PostAfter(std::max(absl::ZeroDuration(), due - clock_.Monotonic()), [this] {
    timer_ = 0;
    timer_due_ = absl::InfiniteDuration();
    Feed(edge::Tick{});
  });
}

}  // namespace skerry::edgehub
