#include "services/lib/link/testing/simulation.h"

#include <random>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace skerry::link::testing {
namespace {

constexpr char kType[] = "pods";
constexpr char kStream[] = "telemetry";

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

// Goes in chunks when it is compressed, too.
const std::string& Digits() {
  static const std::string* digits = [] {
    std::mt19937 rng(1);
    auto* text = new std::string;
    while (text->size() < 4 * kChunkBytesMax) absl::StrAppend(text, rng());
    return text;
  }();
  return *digits;
}

}  // namespace

Simulation::Simulation(uint64_t seed) : rng_(seed) {
  cloud_config_.heartbeat_interval = absl::Seconds(10);
  cloud_config_.compression = seed % 3 == 0;
  // Small enough that windows and bounds are reached by the few objects here.
  cloud_config_.unsent_bytes_max = 1u << 20;
  cloud_config_.transport_bytes_max = 256u << 10;
  // The seeds of others stay what they are.
  if (seed % 4 == 0) limit_ = {100'000, 100'000};
  if (seed % 5 == 0) {
    cloud_config_.heartbeat_interval = absl::Seconds(40);
    forgets_after_ = absl::Seconds(static_cast<int64_t>(6 + seed / 5 % 33));
  }
  for (int i = 0; i < 4; ++i) ChangeDesired();
  EdgeCrash();
  SpokeAttach();
  ControllerAttach();
}

void Simulation::Invite(SimulationGuest& guest) {
  guest_ = &guest;
  guest.Enter(*this);
}

void Simulation::Step() {
  const uint64_t dice = Random(guest_ == nullptr ? 1560 : 2400);
  if (dice >= 1560) return guest_->Step();
  if (dice >= 1420) return StoreWork();
  if (dice >= 1400) return GrantSyncs();
  if (dice >= 1395) return CancelCommand();
  if (dice >= 1360) return AcceptCommand();
  if (dice >= 1300) return FinishExecuting();
  if (dice >= 1290) return OpenTunnel();
  if (dice >= 1250) return DrainTunnels();
  if (dice >= 1000) return TunnelWork();
  if (dice < 200) return DeliverDown();
  if (dice < 400) return DeliverUp();
  if (dice < 550) return SpokeWork();
  if (dice < 700) return ControllerWork();
  if (dice < 780) return ChangeDesired();
  if (dice < 830) return PutReport();
  if (dice < 858) return PutEvent();
  if (dice < 860) return DropOldestEvent();
  if (dice < 950) return Advance(absl::Milliseconds(static_cast<int64_t>(Random(4000))));
  if (dice < 965) return Cut();
  if (dice < 971) return HubCrash();
  if (dice < 977) return EdgeCrash();
  if (dice < 985) return spoke_ == 0 ? SpokeAttach() : SpokeCrash();
  if (dice < 993) return controller_ == 0 ? ControllerAttach() : ControllerCrash();
  return Advance(absl::Seconds(25));  // A pause, as of a machine that sleeps.
}

void Simulation::Calm(int seconds) {
  for (int i = 0; i < seconds && failure_.empty(); ++i) {
    if (spoke_ == 0) SpokeAttach();
    if (controller_ == 0) ControllerAttach();
    Work(static_cast<int>(1 + Random(20)));
    Advance(absl::Seconds(1));
  }
}

void Simulation::Settle() {
  if (spoke_ == 0) SpokeAttach();
  if (controller_ == 0) ControllerAttach();
  PutEvent();  // What was dropped last is told by what comes after it.
  if (guest_ != nullptr) guest_->Settle();
  for (int round = 0; round < 400 && failure_.empty(); ++round) {
    Work(200);
    // Heartbeats keep going for ever; enough time passes to find dead peers and to dial again.
    Advance(absl::Seconds(1));
    if (round > 200 && Quiet()) {
      CheckFinal();
      return CheckIdleLine();
    }
  }
  if (failure_.empty()) Fail("it does not settle");
}

void Simulation::Work(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    DeliverDown();
    DeliverUp();
    SpokeWork();
    ControllerWork();
    StoreWork();
    FinishExecuting();
    if (guest_ != nullptr) guest_->Work();
  }
  FinishTunnels();
  GrantSyncs();
}

// ---- the cloud ----

void Simulation::FeedCloud(uint64_t id, cloud::Event event) {
  auto it = connections_.find(id);
  if (it == connections_.end() || it->second.session == nullptr) return;
  const absl::Duration silence = now_ - it->second.heard;
  if (std::holds_alternative<cloud::FrameReceived>(event)) it->second.heard = now_;
  for (cloud::Effect& effect : it->second.session->Step(std::move(event), now_)) {
    if (std::holds_alternative<cloud::Admit>(effect)) {
      Admit(id);
    } else if (auto* send = std::get_if<cloud::Send>(&effect)) {
      if (std::holds_alternative<Resync>(send->frame)) ++seen_["resync"];
      if (const auto* welcome = std::get_if<Welcome>(&send->frame)) {
        it->second.heard = now_;
        it->second.interval = welcome->heartbeat_interval;
      }
      if (const auto* heartbeat = std::get_if<Heartbeat>(&send->frame);
          heartbeat != nullptr && heartbeat->interval != absl::ZeroDuration())
        it->second.interval = heartbeat->interval;
      PassLine(it->second);
      it->second.down.push_back(std::move(send->frame));
    } else if (auto* message = std::get_if<cloud::ToSpoke>(&effect)) {
      if (message->spoke == controller_) {
        for_controller_.push_back({it->second.session->epoch(), std::move(message->message)});
      } else if (message->spoke > SimulationGuest::kGuestSpokes) {
        guest_->FromHub(message->spoke, it->second.session->epoch(), std::move(message->message));
      }
    } else if (std::holds_alternative<cloud::EpochStored>(effect)) {
      // link-2.5: what the hub hears of is on the disk.
      if (it->second.session->epoch() > stored_epoch_) Fail("an epoch is not stored");
      ++seen_["epoch stored"];
    } else if (std::holds_alternative<cloud::AwaitDrained>(effect)) {
      ++seen_["hub's transport full"];
      it->second.drain_awaited = true;
    } else if (std::holds_alternative<cloud::AwaitSync>(effect)) {
      it->second.sync_awaited = true;
    } else if (auto* due = std::get_if<cloud::CommandDue>(&effect)) {
      CommandDue(id, due->key);
    } else if (auto* received = std::get_if<cloud::CommandReceived>(&effect)) {
      CommandReceived(received->receipt);
    } else if (auto* to_user = std::get_if<tunnel::ToUser>(&effect)) {
      ToTunnelUser(true, std::move(*to_user));
    } else if (auto* bytes = std::get_if<CompressionBytes>(&effect)) {
      if (!bytes->sent) ++seen_["compressed up"];
    } else if (auto* close = std::get_if<cloud::Close>(&effect)) {
      if (IsViolation(close->status)) Fail(absl::StrCat("hub: ", close->status.ToString()));
      ++seen_[absl::StrCat("session end ", close->reason)];
      if (close->reason == "HEARTBEAT_LOST" && silence < 2 * it->second.interval)
        Fail("hub: a node is taken for dead too early");
      // What was sent before arrives; then the edge sees the end.
      it->second.up.clear();
    } else if (auto* count = std::get_if<cloud::Count>(&effect)) {
      if (count->incident == cloud::Incident::kOverflow) ++seen_["overflow"];
      if (count->incident == cloud::Incident::kDeferred) ++seen_["hub's budget spent"];
    }
  }
  if (it->second.session == nullptr || !it->second.session->closed()) return;
  it->second.session = nullptr;
  if (current_ == id) current_ = 0;
}

void Simulation::Admit(uint64_t id) {
  const uint64_t epoch = ++last_epoch_;
  const uint64_t old = current_;
  if (old != 0) FeedCloud(old, cloud::Fence{});
  current_ = id;
  FeedCloud(id, cloud::Admitted{epoch, absl::UnixEpoch() + now_});
  QueueCommands();
}

void Simulation::GrantSyncs() {
  std::vector<uint64_t> granted;
  for (auto& [id, connection] : connections_) {
    if (std::exchange(connection.sync_awaited, false)) granted.push_back(id);
  }
  for (uint64_t id : granted) FeedCloud(id, cloud::SyncTurn{});
}

void Simulation::FeedAllSessions(const cloud::Event& event) {
  std::set<uint64_t> ids;
  for (const auto& [id, connection] : connections_) ids.insert(id);
  for (uint64_t id : ids) FeedCloud(id, event);
}

void Simulation::ToSession(uint64_t epoch, cloud::Event event) {
  if (epoch == last_epoch_ && current_ != 0) FeedCloud(current_, std::move(event));
}

void Simulation::HubCrash() {
  ++seen_["hub crash"];
  ControllerCrash();
  for (auto& [id, connection] : connections_) {
    connection.session = nullptr;
    connection.up.clear();
  }
  current_ = 0;
  if (guest_ != nullptr) guest_->HubCrashed();
  cloud_users_.clear();
  LoseCommands();
  // The controller dials again when it gets to it; the edge notices at once or by its heartbeats.
  if (Random(2) == 0)
    FeedEdge(
        edge::LinkClosed{edge_connection_ - connection_base_, absl::UnavailableError("hub gone")});
}

void Simulation::ControllerAttach() {
  controller_ = ++last_controller_;
  FeedAllSessions(cloud::SpokeAttached{controller_, {kType}, {kType}, {kStream}});
}

void Simulation::ControllerCrash() {
  if (controller_ == 0) return;
  ++seen_["controller crash"];
  const SpokeId gone = std::exchange(controller_, 0);
  for_controller_.clear();
  subscription_.reset();
  FeedAllSessions(cloud::SpokeDetached{gone});
}

void Simulation::ControllerWork() {
  if (for_controller_.empty()) return;
  // Reports are worked on in any order but that of one key; everything else in order.
  size_t index = 0;
  if (std::holds_alternative<cloud::NodeReport>(for_controller_.front().message)) {
    while (index + 1 < for_controller_.size() && Random(2) == 0) {
      const auto* next = std::get_if<cloud::NodeReport>(&for_controller_[index + 1].message);
      if (next == nullptr) break;
      bool same_key = false;
      for (size_t i = 0; i <= index; ++i) {
        same_key |=
            std::get<cloud::NodeReport>(for_controller_[i].message).report.key == next->report.key;
      }
      if (same_key) break;
      ++index;
    }
  }
  ForController item = std::move(for_controller_[index]);
  for_controller_.erase(for_controller_.begin() + static_cast<std::ptrdiff_t>(index));
  ControllerHandle(std::move(item));
}

void Simulation::ControllerHandle(ForController item) {
  if (std::holds_alternative<cloud::NodeConnected>(item.message)) {
    if (item.epoch <= controller_epoch_ && controller_epoch_ != 0 &&
        item.epoch != controller_epoch_) {
      Fail("epochs go back");
    }
    controller_epoch_ = item.epoch;
  } else if (std::holds_alternative<cloud::NodeDisconnected>(item.message)) {
    subscription_.reset();
  } else if (auto* subscribed = std::get_if<cloud::Subscribed>(&item.message)) {
    const Subscribe& frame = subscribed->subscribe;
    if (!subscription_.has_value() || subscription_->id != frame.subscription_id ||
        subscription_->epoch != item.epoch) {
      subscription_ = Subscription{item.epoch, frame.subscription_id, {}, false};
    }
    for (const Holding& holding : frame.holdings)
      subscription_->holdings[holding.key] = NumberOf(holding.version);
    if (!frame.more) AnswerSubscription();
  } else if (auto* unsubscribed = std::get_if<cloud::Unsubscribed>(&item.message)) {
    if (subscription_.has_value() && subscription_->id == unsubscribed->subscription_id)
      subscription_.reset();
  } else if (auto* done = std::get_if<cloud::PushDone>(&item.message)) {
    // L1: what is said to be stored was sent, and is not newer than what the box has.
    for (const PushOutcome& outcome : done->outcomes) {
      auto stored = store_.find(outcome.key);
      if (!outcome.version.empty() && stored != store_.end() &&
          stored->second < NumberOf(outcome.version)) {
        Fail(absl::StrCat("acked but not stored: ", outcome.key));
      }
    }
  } else if (auto* report = std::get_if<cloud::NodeReport>(&item.message)) {
    uint64_t& value = applied_[report->report.key];
    const uint64_t reported = NumberOf(report->report.value);
    if (reported < value) Fail("a report goes back to an older value");
    value = reported;
    if (item.epoch == last_epoch_ && current_ != 0) {
      FeedCloud(current_,
                cloud::ReportDone{controller_, report->report.sequence, absl::OkStatus()});
    }
  } else if (auto* events = std::get_if<cloud::NodeEvents>(&item.message)) {
    ApplyEvents(item.epoch, events->batch);
  }
}

// What an owner does: drops what it has applied before, in one transaction with the effect.
void Simulation::ApplyEvents(uint64_t epoch, const EventBatch& batch) {
  for (const StreamEvent& event : batch.events) {
    if (event.sequence <= event_cursor_) {
      ++seen_["event again"];
      continue;
    }
    const uint64_t before = event.sequence - event.dropped_before - 1;
    if (before > event_cursor_) {
      return Fail(absl::StrCat("event ", event.sequence, " after ", event_cursor_, " with ",
                               event.dropped_before, " dropped between"));
    }
    if (event.value != absl::StrCat(event.sequence)) Fail("an event has another's value");
    events_lost_ += event.sequence - event_cursor_ - 1;
    ++events_applied_;
    event_cursor_ = event.sequence;
  }
  if (epoch != last_epoch_ || current_ == 0) return;
  FeedCloud(current_,
            cloud::EventsDone{controller_, {batch.stream, batch.events.back().sequence, {}}});
}

void Simulation::AnswerSubscription() {
  subscription_->complete = true;
  if (subscription_->epoch == last_epoch_) answered_[{current_, subscription_->id}] = desired_;
  const Subscription subscription = *subscription_;
  for (const auto& [key, version] : desired_) {
    auto held = subscription.holdings.find(key);
    if (held != subscription.holdings.end() && held->second == version) continue;
    PushTo(subscription, {Change::Kind::kUpsert, key, absl::StrCat(version), ""});
  }
  for (const auto& [key, version] : subscription.holdings) {
    if (desired_.count(key) == 0) PushTo(subscription, {Change::Kind::kDelete, key, "", ""});
  }
  PushTo(subscription, {Change::Kind::kSynced, "", "", ""});
}

void Simulation::PushTo(const Subscription& subscription, Change change) {
  if (change.kind == Change::Kind::kUpsert) change.object.assign(Random(4) == 0 ? 700000 : 10, 'x');
  if (cloud_config_.compression && change.object.size() > 10 && NumberOf(change.version) % 2 == 0)
    change.object = Digits();
  if (current_ == 0 || subscription.epoch != last_epoch_) return;
  FeedCloud(current_, cloud::Push{controller_, kType, subscription.id, std::move(change)});
}

void Simulation::ChangeDesired() {
  const std::string key = RandomKey();
  if (Random(3) == 0 && desired_.erase(key) != 0) {
    desired_since_.erase(key);
    if (subscription_.has_value() && subscription_->complete)
      PushTo(*subscription_, {Change::Kind::kDelete, key, "", ""});
    return;
  }
  desired_[key] = ++last_version_;
  desired_since_.emplace(key, last_version_);
  if (subscription_.has_value() && subscription_->complete) {
    PushTo(*subscription_, {Change::Kind::kUpsert, key, absl::StrCat(last_version_), ""});
  }
}

}  // namespace skerry::link::testing
