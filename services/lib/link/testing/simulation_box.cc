// The box's half of the simulation.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/testing/simulation.h"

namespace skerry::link::testing {
namespace {

constexpr char kType[] = "pods";
constexpr char kStream[] = "telemetry";

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

// ---- the box ----

void Simulation::FeedEdge(edge::Event event) {
  for (edge::Effect& effect : edge_->Step(std::move(event), now_)) {
    if (auto* dial = std::get_if<edge::Dial>(&effect)) {
      edge_connection_ = connection_base_ + dial->connection;
      Connection& connection = connections_[edge_connection_];
      connection.session = std::make_unique<CloudSession>(cloud_config_, now_);
      connection.last_frame = now_;
      if (controller_ != 0)
        FeedCloud(edge_connection_, cloud::SpokeAttached{controller_, {kType}, {kType}, {kStream}});
      if (guest_ != nullptr) {
        if (auto spoke = guest_->HubSpoke()) FeedCloud(edge_connection_, *std::move(spoke));
      }
    } else if (auto* send = std::get_if<edge::Send>(&effect)) {
      Connection& connection = connections_[edge_connection_];
      PassLine(connection);
      connection.up.push_back(std::move(send->frame));
    } else if (auto* bytes = std::get_if<CompressionBytes>(&effect)) {
      if (!bytes->sent) ++seen_["compressed down"];
      if (!bytes->sent && bytes->compressed > kChunkBytesMax) ++seen_["compressed in chunks"];
    } else if (auto* close = std::get_if<edge::CloseLink>(&effect)) {
      if (GetErrorInfo(close->status).reason == "HEARTBEAT_LOST" && now_ - heard_ < 2 * interval_)
        Fail("edge: the hub is taken for dead too early");
      if (IsViolation(close->status)) Fail(absl::StrCat("edge: ", close->status.ToString()));
      if (!connections_[edge_connection_].cut) FeedCloud(edge_connection_, cloud::LinkClosed{});
    } else if (auto* message = std::get_if<edge::ToSpoke>(&effect)) {
      if (message->spoke == spoke_) for_spoke_.push_back(std::move(message->message));
      if (message->spoke > SimulationGuest::kGuestSpokes)
        guest_->FromEdgeHub(message->spoke, std::move(message->message));
    } else if (auto* to_user = std::get_if<tunnel::ToUser>(&effect)) {
      ToTunnelUser(false, std::move(*to_user));
    } else if (auto* close_spoke = std::get_if<edge::CloseSpoke>(&effect)) {
      Fail(absl::StrCat("spoke closed: ", close_spoke->status.ToString()));
    } else if (auto* fetch = std::get_if<edge::FetchReports>(&effect)) {
      Fetch(*fetch);
    } else if (auto* store = std::get_if<edge::StoreEpoch>(&effect)) {
      if (Random(8) == 0) continue;  // The disk is full.
      stored_epoch_ = store->epoch;
      for_edge_.push_back(edge::EpochStored{store->epoch});
    } else if (auto* trim = std::get_if<edge::TrimReports>(&effect)) {
      Trim(*trim);
    } else if (auto* fetch_events = std::get_if<edge::FetchEvents>(&effect)) {
      Fetch(*fetch_events);
    } else if (auto* trim_events = std::get_if<edge::TrimEvents>(&effect)) {
      Trim(*trim_events);
    } else if (auto* begin = std::get_if<edge::BeginCommand>(&effect)) {
      edge::CommandRecord record = BeginCommand(*begin);
      for_edge_.push_back(edge::CommandBegun{std::move(begin->command), begin->may_start,
                                             begin->begin, std::move(record)});
    } else if (auto* finish = std::get_if<edge::FinishCommand>(&effect)) {
      for_edge_.push_back(edge::CommandFinished{finish->key, FinishCommand(*finish)});
    } else if (auto* forget = std::get_if<edge::ForgetCommand>(&effect)) {
      ++seen_["command forgotten"];
      records_.erase(forget->key);
    } else if (auto* read = std::get_if<edge::ReadCommand>(&effect)) {
      for_edge_.push_back(edge::CommandRead{read->connection, read->key, ReadCommand(read->key)});
    } else if (auto* await = std::get_if<edge::AwaitDrained>(&effect)) {
      ++seen_["transport full"];
      for_edge_.push_back(edge::Drained{await->connection});
    } else if (auto* count = std::get_if<edge::Count>(&effect)) {
      if (count->incident == edge::Incident::kDeferred) ++seen_["budget spent"];
    }
  }
}

// L1: nothing leaves the journal that the cloud has not applied.
void Simulation::Trim(const edge::TrimReports& effect) {
  if (effect.type != kType) return guest_->Trim(effect);
  for (auto it = journal_.begin(); it != journal_.end();) {
    if (it->second.sequence > effect.up_to) {
      ++it;
      continue;
    }
    if (applied_[it->first] < it->second.value)
      Fail(absl::StrCat("trimmed but not applied: ", it->first));
    it = journal_.erase(it);
  }
}

void Simulation::Trim(const edge::TrimEvents& effect) {
  if (effect.ack.sequence > event_cursor_)
    Fail(absl::StrCat("trimmed but not applied: event ", effect.ack.sequence));
  while (!events_.empty() && events_.front().sequence <= effect.ack.sequence) events_.pop_front();
}

void Simulation::Fetch(const edge::FetchReports& effect) {
  if (effect.type != kType) return for_edge_.push_back(guest_->Fetch(effect));
  std::map<uint64_t, std::string> by_sequence;
  for (const auto& [key, entry] : journal_) {
    if (entry.sequence > effect.after) by_sequence[entry.sequence] = key;
  }
  edge::ReportsFetched event{effect.connection, kType, {}, false};
  const size_t count_max = std::min<size_t>(effect.count_max, 1 + Random(3));
  for (const auto& [sequence, key] : by_sequence) {
    if (event.reports.size() == count_max) {
      event.more = true;
      break;
    }
    // Some are large enough to go in chunks, others to be compressed.
    const bool compressed = cloud_config_.compression && sequence % 5 == 1;
    const std::string padding(sequence % 5 == 0 ? 50000 : compressed ? 2000 : 0, ' ');
    event.reports.push_back(
        {sequence, kType, key, 0, {}, absl::StrCat(journal_[key].value, padding)});
  }
  for_edge_.push_back(std::move(event));
}

void Simulation::Fetch(const edge::FetchEvents& effect) {
  edge::EventsFetched event{effect.connection, {effect.stream, {}}, false};
  const size_t count_max = std::min<size_t>(effect.count_max, 1 + Random(3));
  for (const StreamEvent& entry : events_) {
    if (entry.sequence <= effect.after) continue;
    if (event.batch.events.size() == count_max) {
      event.more = true;
      break;
    }
    event.batch.events.push_back(entry);
  }
  for_edge_.push_back(std::move(event));
}

void Simulation::EdgeCrash() {
  ++seen_["edge crash"];
  auto it = connections_.find(edge_connection_);
  if (it != connections_.end() && Random(2) == 0) {
    FeedCloud(it->first, cloud::LinkClosed{});
  } else if (it != connections_.end()) {
    it->second.cut = true;
  }
  connection_base_ = edge_connection_;
  spoke_ = 0;
  for_spoke_.clear();
  for_edge_.clear();
  executing_.clear();
  box_users_.clear();
  if (guest_ != nullptr) guest_->EdgeHubCrashed();
  EdgeSession::Config config;
  config.hello.protocol_version = kProtocolVersion;
  config.hello.stored_epoch = stored_epoch_;
  config.seed = rng_();
  config.transport_bytes_max = 500;
  config.up_limit = config.hello.down_limit = limit_;
  // Now and then a box that does not.
  config.compression = cloud_config_.compression && last_spoke_ % 4 != 3;
  edge_ = std::make_unique<EdgeSession>(config);
  if (!journal_.empty()) FeedEdge(edge::ReportStored{kType, last_sequence_});
  if (!events_.empty())
    FeedEdge(edge::EventStored{kStream, EventPriority::kTelemetry, last_event_});
  if (guest_ != nullptr) {
    if (auto stored = guest_->Journalled()) FeedEdge(*std::move(stored));
  }
  FeedEdge(edge::Start{});
}

void Simulation::SpokeAttach() {
  spoke_ = ++last_spoke_;
  for_spoke_.clear();
  spoke_subscription_ = 0;
  staged_deletes_.clear();
  synced_ = false;
  FeedEdge(edge::SpokeAttached{spoke_, {kType}, {kType}, {"kubelet"}, {"method"}});
}

void Simulation::SpokeCrash() {
  ++seen_["spoke crash"];
  const SpokeId gone = std::exchange(spoke_, 0);
  for_spoke_.clear();
  executing_.clear();
  FeedEdge(edge::SpokeDetached{gone});
  for (const auto& [tunnel, user] : std::exchange(box_users_, {})) {
    FromTunnelUser(false, tunnel, user, {0, tunnel::End{absl::CancelledError("gone")}});
  }
}

void Simulation::SpokeWork() {
  if (!for_edge_.empty() && Random(2) == 0) {
    edge::Event event = std::move(for_edge_.front());
    for_edge_.pop_front();
    return FeedEdge(std::move(event));
  }
  if (for_spoke_.empty() || spoke_ == 0) return;
  edge::SpokeMessage message = std::move(for_spoke_.front());
  for_spoke_.pop_front();
  if (auto* request = std::get_if<edge::SubscribeRequest>(&message)) {
    spoke_subscription_ = request->subscription_id;
    staged_deletes_.clear();
    synced_ = false;
    stored_up_to_ = 0;
    Subscribe answer{kType, spoke_subscription_, {}, false};
    for (const auto& [key, version] : store_) {
      if (!answer.holdings.empty() && Random(3) == 0) {
        answer.more = true;
        FeedEdge(edge::SpokeSubscribe{spoke_, answer});
        answer.holdings.clear();
        answer.more = false;
      }
      answer.holdings.push_back({key, absl::StrCat(version)});
    }
    FeedEdge(edge::SpokeSubscribe{spoke_, std::move(answer)});
  } else if (auto* change = std::get_if<ResourceChange>(&message)) {
    SpokeApply(*change);
  } else if (auto* offered = std::get_if<edge::TunnelRequest>(&message)) {
    JoinTunnel(*offered);
  } else if (auto* command = std::get_if<edge::CommandRequest>(&message)) {
    ExecuteCommand(*command);
  }
}

void Simulation::SpokeApply(const ResourceChange& frame) {
  if (frame.subscription_id != spoke_subscription_) return;
  if (frame.sequence != stored_up_to_ + 1) Fail("the spoke sees a gap");
  stored_up_to_ = frame.sequence;
  const Change& change = frame.change;
  if (change.kind == Change::Kind::kUpsert) {
    auto held = store_.find(change.key);
    if (held != store_.end() && held->second > NumberOf(change.version))
      Fail("an object goes back to an older version");
    store_[change.key] = NumberOf(change.version);
    staged_deletes_.erase(change.key);
  } else if (change.kind == Change::Kind::kDelete) {
    if (synced_) {
      SpokeDelete(change.key);
    } else {
      staged_deletes_.insert(change.key);
    }
  } else {
    CheckSynced();
    synced_ = true;
    for (const std::string& key : staged_deletes_) SpokeDelete(key);
    staged_deletes_.clear();
  }
  if (Random(3) != 0 && !for_spoke_.empty() &&
      std::holds_alternative<ResourceChange>(for_spoke_.front()))
    return;
  FeedEdge(edge::ResourceDone{spoke_, {kType, spoke_subscription_, stored_up_to_, {}}});
}

void Simulation::CheckSynced() {
  if (synced_) return;
  const auto answered = answered_.find({edge_connection_, spoke_subscription_});
  if (answered == answered_.end()) return;  // Of a session that is over.
  for (const auto& [key, version] : answered->second) {
    const auto since = desired_since_.find(key);
    if (since == desired_since_.end() || since->second > version) continue;  // Deleted meanwhile.
    const auto held = store_.find(key);
    if (held == store_.end() || held->second < version)
      Fail(absl::StrCat("synced, and ", key, " has not come"));
  }
}

void Simulation::SpokeDelete(const std::string& key) {
  auto held = store_.find(key);
  if (held == store_.end()) return;
  // A2: what the cloud wanted all the time stays, so that no healthy pod is stopped.
  auto since = desired_since_.find(key);
  if (since != desired_since_.end() && held->second >= since->second)
    Fail(absl::StrCat(key, " is deleted on the box and not in the cloud"));
  store_.erase(held);
}

void Simulation::PutReport() {
  const std::string key = RandomKey();
  journal_[key] = {++last_sequence_, ++last_value_};
  reported_[key] = last_value_;
  FeedEdge(edge::ReportStored{kType, last_sequence_});
}

void Simulation::PutEvent() {
  StreamEvent event;
  event.sequence = ++last_event_;
  event.dropped_before = std::exchange(events_dropped_, 0);
  event.value = absl::StrCat(event.sequence);
  events_.push_back(std::move(event));
  FeedEdge(edge::EventStored{kStream, EventPriority::kTelemetry, last_event_});
}

// The journal is full: the oldest goes, and the next tells of it.
void Simulation::DropOldestEvent() {
  if (events_.empty()) return;
  const uint64_t dropped = events_.front().dropped_before + 1;
  events_.pop_front();
  (events_.empty() ? events_dropped_ : events_.front().dropped_before) += dropped;
}

}  // namespace skerry::link::testing
