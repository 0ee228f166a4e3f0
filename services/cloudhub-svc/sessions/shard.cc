#include "services/cloudhub-svc/sessions/shard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/sessions/node_session.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;

namespace {

constexpr absl::Duration kGateTick = absl::Milliseconds(250);
// Who has waited so long for its admission is refused without asking: it gives up after 15 s.
constexpr absl::Duration kAdmissionWaitMax = absl::Seconds(10);

}  // namespace

Shard::Shard(const std::string& name, Deps deps)
    : deps_(std::move(deps)),
      desk_(
          deps_.desk, deps_.commands, deps_.clock, deps_.metrics, deps_.log,
          [this](const std::string& node, cloud::Event event) {
            auto it = by_node_.find(node);
            if (it != by_node_.end()) Feed(SessionPtr(it->second), std::move(event));
          },
          [this](const std::string& node) -> uint64_t {
            auto it = by_node_.find(node);
            return it == by_node_.end() ? 0 : it->second->machine.epoch();
          },
          [this](absl::AnyInvocable<absl::AnyInvocable<void()>()> work) {
            return OnCommandStore(std::move(work));
          }),
      admissions_("admit-" + name, deps_.clock),
      store_("commands-" + name, deps_.clock),
      executor_("sessions-" + name, deps_.clock) {
  executor_.Post([this] { SweepCommands(); });
}

Shard::~Shard() { Stop(); }

void Shard::Stop() {
  stopping_ = true;
  // What they were asked they answer; what is asked then is refused.
  admissions_.Stop();
  store_.Stop();
  executor_.Stop();
}

void Shard::Settle() {
  uint64_t store_calls = 0;
  do {  // What the store says may lead to further calls.
    store_calls = store_calls_;
    for (exec::SerialExecutor* thread : {&executor_, &admissions_, &executor_, &store_, &executor_})
      thread->Run([] {});
  } while (store_calls != store_calls_);
}

// ---- from the transports ----

std::shared_ptr<NodeSession> Shard::Open(LinkingBox box, const std::string& peer,
                                         std::shared_ptr<NodeLink> link) {
  auto session = std::make_shared<NodeSession>(std::move(box), peer, std::move(link), deps_.session,
                                               deps_.clock.Monotonic());
  executor_.Post([this, session] {
    // A node dials once at a time: it can't fill the hub with connections that say nothing (L4).
    auto older = dialling_.find(session->node.value());
    if (older != dialling_.end()) Feed(SessionPtr(older->second), cloud::Superseded{});
    dialling_[session->node.value()] = session;
    sessions_.insert(session);
    for (const auto& [id, spoke] : spokes_) {
      Feed(session,
           cloud::SpokeAttached{id, spoke.resource_types, spoke.report_types, spoke.event_streams});
    }
    Arm(session);
  });
  return session;
}

void Shard::Frame(std::shared_ptr<NodeSession> session, link::EdgeFrame frame,
                  absl::AnyInvocable<void()> after) {
  executor_.PostOrRun([this, session = std::move(session), frame = std::move(frame),
                       after = std::move(after)]() mutable {
    Feed(session, cloud::FrameReceived{std::move(frame)});
    after();
  });
}

void Shard::Invalid(std::shared_ptr<NodeSession> session, absl::Status violation) {
  executor_.Post([this, session = std::move(session), violation = std::move(violation)] {
    Feed(session, cloud::InvalidFrame{violation});
  });
}

void Shard::Closed(std::shared_ptr<NodeSession> session) {
  executor_.Post([this, session = std::move(session)] { Feed(session, cloud::LinkClosed{}); });
}

void Shard::Attach(Spoke spoke, absl::AnyInvocable<void()> announced) {
  executor_.Post([this, spoke = std::move(spoke), announced = std::move(announced)]() mutable {
    const cloud::SpokeAttached event{spoke.id, spoke.resource_types, spoke.report_types,
                                     spoke.event_streams};
    spokes_[spoke.id] = std::move(spoke);
    for (const SessionPtr& session : std::set<SessionPtr>(sessions_)) Feed(session, event);
    announced();
  });
}

void Shard::Detach(link::SpokeId spoke) {
  executor_.Post([this, spoke] {
    if (spokes_.erase(spoke) == 0) return;
    for (const SessionPtr& session : std::set<SessionPtr>(sessions_))
      Feed(session, cloud::SpokeDetached{spoke});
  });
}

void Shard::ToNode(const std::string& node, uint64_t epoch, cloud::Event event,
                   absl::AnyInvocable<void()> after) {
  executor_.PostOrRun(
      [this, node, epoch, event = std::move(event), after = std::move(after)]() mutable {
        auto it = by_node_.find(node);
        if (it == by_node_.end() || it->second->machine.epoch() != epoch) {
          deps_.metrics.StaleEpoch();
        } else {
          Feed(SessionPtr(it->second), std::move(event));
        }
        after();
      });
}

void Shard::End(const NodeName& node, absl::Status status) {
  executor_.Post([this, node, status = std::move(status)] {
    for (const std::map<std::string, SessionPtr>* open : {&dialling_, &by_node_}) {
      auto it = open->find(node.value());
      if (it != open->end()) it->second->link->Close(status);
    }
  });
}

std::shared_ptr<NodeTunnel> Shard::OpenTunnel(const std::string& node, const std::string& type,
                                              const std::string& target,
                                              std::shared_ptr<link::tunnel::UserPort> port) {
  auto tunnel = std::make_shared<NodeTunnel>();
  executor_.Post([this, tunnel, node, type, target, port = std::move(port)] {
    deps_.metrics.TunnelOpened();
    auto it = by_node_.find(node);
    if (it == by_node_.end()) {
      deps_.metrics.TunnelEnded("NODE_NOT_CONNECTED");
      return port->Tell(
          link::tunnel::End{Error(absl::StatusCode::kUnavailable,
                                  absl::StrCat("node ", node, " is not connected to the cloud"))
                                .Reason("NODE_NOT_CONNECTED")});
    }
    const SessionPtr session = it->second;
    tunnel->session = session;
    tunnel->id = ++last_tunnel_;
    session->tunnels[tunnel->id] = port;
    Feed(session, cloud::OpenTunnel{tunnel->id, type, target});
  });
  return tunnel;
}

void Shard::FromTunnel(std::shared_ptr<NodeTunnel> tunnel, link::tunnel::UserEvent event) {
  executor_.Post([this, tunnel = std::move(tunnel), event = std::move(event)]() mutable {
    const SessionPtr session = tunnel->session.lock();
    if (session == nullptr || session->tunnels.count(tunnel->id) == 0) return;
    // A user that ends the tunnel hears no more of it.
    if (const auto* end = std::get_if<link::tunnel::End>(&event)) {
      session->tunnels.erase(tunnel->id);
      deps_.metrics.TunnelEnded(GetErrorInfo(end->status).reason);
    }
    Feed(session, link::tunnel::FromUser{tunnel->id, std::move(event)});
  });
}

std::vector<SessionInfo> Shard::Sessions() {
  std::vector<SessionInfo> infos;
  executor_.Run([&] {
    const absl::Duration monotonic = deps_.clock.Monotonic();
    const absl::Time now = deps_.clock.Now();
    for (const auto& [node, session] : by_node_) {
      infos.push_back({node, session->machine.epoch(), session->connect_time,
                       now - (monotonic - session->machine.last_received()), session->peer,
                       session->software_version,
                       static_cast<int64_t>(session->machine.unsent_bytes()),
                       session->machine.subscribed_types()});
    }
  });
  return infos;
}

// ---- the machines ----

void Shard::Feed(const SessionPtr& session, cloud::Event event) {
  Perform(session, session->machine.Step(std::move(event), deps_.clock.Monotonic()));
  const size_t unsent_bytes = session->machine.unsent_bytes();
  deps_.metrics.UnsentBytes(static_cast<double>(unsent_bytes) -
                            static_cast<double>(session->unsent_bytes));
  session->unsent_bytes = unsent_bytes;
  UpdateSync(session);
  Arm(session);
}

void Shard::Perform(const SessionPtr& session, std::vector<cloud::Effect> effects) {
  for (cloud::Effect& effect : effects) {
    std::visit([&](auto& e) { Perform(session, std::move(e)); }, effect);
  }
}

void Shard::Perform(const SessionPtr& session, cloud::Admit effect) {
  session->software_version = std::move(effect.hello.software_version);
  session->event_store_id = std::move(effect.hello.event_store_id);
  session->box.boot_id = effect.hello.boot_id;
  session->box.stored_epoch = effect.hello.stored_epoch;
  if (draining_) return Refuse(session, Draining());
  Ask(session, deps_.gate.Arrive(session->node.value(), TellOf(session)));
}

void Shard::LetIn(const SessionPtr& session) {
  admissions_.Post([this, session, box = session->box, asked = deps_.clock.Monotonic()] {
    executor_.Post(
        [this, session, epoch = Record(*session, box, asked)] { Begin(session, epoch); });
  });
}

absl::StatusOr<uint64_t> Shard::Record(const NodeSession& session, const LinkingBox& box,
                                       absl::Duration asked) {
  if (session.closed || stopping_) return absl::CancelledError("the connection has ended");
  if (deps_.clock.Monotonic() - asked > kAdmissionWaitMax)
    return absl::DeadlineExceededError("too many admissions are waiting for the store");
  return deps_.records.Admit(box);
}

void Shard::Begin(const SessionPtr& session, const absl::StatusOr<uint64_t>& epoch) {
  if (session->closed) return;
  if (!epoch.ok()) return Refuse(session, epoch.status());
  if (draining_) return Refuse(session, Draining());
  if (*epoch < session->epoch_min) return Feed(session, cloud::Superseded{});
  const std::string& node = session->node.value();
  // The old session ends before the new one can be heard of: its spokes see the one and then the
  // other.
  auto old = by_node_.find(node);
  if (old != by_node_.end()) Feed(SessionPtr(old->second), cloud::Fence{});
  by_node_[node] = session;
  auto dialling = dialling_.find(node);
  if (dialling != dialling_.end() && dialling->second == session) dialling_.erase(dialling);
  session->connect_time = deps_.clock.Now();
  session->counted = true;
  deps_.metrics.SessionBegan();
  deps_.log.Info("node connected", {{"node", node},
                                    {"epoch", *epoch},
                                    {"peer", session->peer},
                                    {"boot_id", session->box.boot_id},
                                    {"version", session->software_version}});
  Feed(session, cloud::Admitted{*epoch, session->connect_time});
  desk_.NodeConnected(node);
  ArmDesk();
}

void Shard::Refuse(const SessionPtr& session, const absl::Status& why) {
  const std::string reason = GetErrorInfo(why).reason;
  if (reason == "DRAINING") {
    deps_.metrics.Refused(reason);
    return Feed(session, cloud::Refused{why, reason, drain_retry_after_});
  }
  if (reason == kNodeKeyWrong || reason == kNodeCloned || reason == kNodeDisabled) {
    deps_.metrics.Refused(reason == kNodeDisabled ? "DISABLED" : reason);
    return Feed(session, cloud::Denied{why});
  }
  deps_.log.Error("session refused", why, {{"node", session->node.value()}});
  deps_.metrics.Refused("STORE_FAILED");
  Feed(session,
       cloud::Refused{
           Error(absl::StatusCode::kUnavailable, "the hub's store fails").Reason("STORE_FAILED"),
           "OVERLOADED", absl::Seconds(5)});
}

void Shard::Perform(const SessionPtr& session, cloud::Send effect) {
  session->link->Send(std::move(effect.frame));
}

void Shard::Perform(const SessionPtr& session, cloud::AwaitDrained) {
  session->link->AwaitDrained([this, weak = std::weak_ptr<NodeSession>(session)] {
    executor_.Post([this, weak] {
      if (const SessionPtr kept = weak.lock(); kept != nullptr) Feed(kept, cloud::Drained{});
    });
  });
}

void Shard::Perform(const SessionPtr& session, cloud::ToSpoke effect) {
  auto it = spokes_.find(effect.spoke);
  if (it == spokes_.end()) return;
  it->second.link->Send({session->node.value(), session->machine.epoch(), session->connect_time,
                         session->software_version, session->peer, session->event_store_id,
                         std::move(effect.message)});
}

void Shard::Perform(const SessionPtr& session, cloud::EpochStored) {
  admissions_.Post(
      [this, box = session->box, epoch = session->machine.epoch(), peer = session->peer] {
        const std::string& node = box.node.value();
        absl::StatusOr<bool> cloned = deps_.records.EpochStored(box, epoch);
        if (!cloned.ok()) {
          deps_.log.Error("what a box has stored can't be remembered", cloned.status(),
                          {{"node", node}});
        } else if (*cloned) {
          deps_.log.Warning("two boxes have the key of one node; the copy is refused from now on",
                            {{"node", node}, {"epoch", epoch}, {"peer", peer}});
        }
      });
}

bool Shard::IsCurrent(const SessionPtr& session) const {
  auto it = by_node_.find(session->node.value());
  return it != by_node_.end() && it->second == session;
}

void Shard::Perform(const SessionPtr& session, cloud::CommandDue effect) {
  if (!IsCurrent(session)) return;
  desk_.Due(session->node.value(), effect.key);
  ArmDesk();
}

void Shard::Perform(const SessionPtr& session, cloud::CommandReceived effect) {
  if (!IsCurrent(session)) return;
  desk_.Received(session->node.value(), std::move(effect.receipt));
  ArmDesk();
}

void Shard::Perform(const SessionPtr& session, link::tunnel::ToUser effect) {
  auto it = session->tunnels.find(effect.tunnel);
  if (it == session->tunnels.end()) return;
  const std::shared_ptr<link::tunnel::UserPort> port = it->second;
  if (const auto* end = std::get_if<link::tunnel::End>(&effect.body)) {
    session->tunnels.erase(it);
    deps_.metrics.TunnelEnded(GetErrorInfo(end->status).reason);
  }
  port->Tell(std::move(effect.body));
}

void Shard::Perform(const SessionPtr& session, cloud::Close effect) {
  session->closed = true;
  session->link->Close(effect.status);
  if (session->counted) {
    deps_.metrics.SessionEnded(effect.reason);
    deps_.metrics.NodeGone(effect.reason,
                           deps_.clock.Monotonic() - session->machine.last_received());
    deps_.log.Info("node disconnected", {{"node", session->node.value()},
                                         {"epoch", session->machine.epoch()},
                                         {"reason", effect.reason},
                                         {"error", std::string(effect.status.message())}});
  } else if (!effect.status.ok()) {
    deps_.log.Warning("connection of a node ended before its session", effect.status,
                      {{"node", session->node.value()}, {"peer", session->peer}});
  }
  auto it = by_node_.find(session->node.value());
  if (it != by_node_.end() && it->second == session) by_node_.erase(it);
  auto dialling = dialling_.find(session->node.value());
  if (dialling != dialling_.end() && dialling->second == session) dialling_.erase(dialling);
  sessions_.erase(session);
  LeaveGate(*session);
}

void Shard::Perform(const SessionPtr&, link::CompressionBytes effect) {
  deps_.metrics.Compression(effect);
}

void Shard::Perform(const SessionPtr&, cloud::Count effect) {
  deps_.metrics.Incident(effect.incident);
}

// ---- the gate ----

void Shard::Perform(const SessionPtr& session, cloud::AwaitSync) {
  // A sync that begins anew goes on with its place.
  if (session->gate != 0 && deps_.gate.HasPlace(session->gate)) {
    return Feed(session, cloud::SyncTurn{});
  }
  Ask(session, deps_.gate.AwaitSync(TellOf(session)));
}

void Shard::Ask(const SessionPtr& session, SyncGate::Answer answer) {
  session->gate = answer.id;
  session->gate_asked = deps_.clock.Monotonic();
  TickGate();
  if (answer.verdict.has_value()) Hear(session, *answer.verdict);
}

SyncGate::Tell Shard::TellOf(const SessionPtr& session) {
  return [this, weak = std::weak_ptr<NodeSession>(session)](const SyncGate::Verdict& verdict) {
    executor_.Post([this, weak, verdict] {
      if (const SessionPtr kept = weak.lock(); kept != nullptr) Hear(kept, verdict);
    });
  };
}

void Shard::Hear(const SessionPtr& session, const SyncGate::Verdict& verdict) {
  if (session->gate != verdict.id) return;  // It has left meanwhile.
  if (session->machine.open()) return Feed(session, cloud::SyncTurn{});
  if (verdict.admitted) return LetIn(session);
  Feed(session, cloud::Refused{Error(absl::StatusCode::kResourceExhausted,
                                     "as many nodes as may be are on their way in")
                                   .Reason("OVERLOADED"),
                               "OVERLOADED", verdict.retry_after});
}

void Shard::UpdateSync(const SessionPtr& session) {
  if (session->gate == 0 || !session->machine.open()) return;
  const link::CloudSession::Sync sync = session->machine.sync();
  if (sync == link::CloudSession::Sync::kUnderWay) deps_.gate.Begin(session->gate);
  if (sync == link::CloudSession::Sync::kDone) {
    deps_.metrics.Synced(deps_.clock.Monotonic() - session->gate_asked);
    LeaveGate(*session);
  }
}

void Shard::LeaveGate(NodeSession& session) {
  if (session.gate != 0) deps_.gate.Leave(std::exchange(session.gate, 0));
}

void Shard::TickGate() {
  if (std::exchange(gate_ticks_, true)) return;
  executor_.PostAfter(kGateTick, [this] {
    gate_ticks_ = false;
    if (deps_.gate.Tick()) TickGate();
  });
}

// Timers are moved only to fire earlier: one that fires early finds nothing due and is set again,
// which is far rarer than frames are.
void Shard::Arm(const SessionPtr& session) {
  const absl::Duration due = session->machine.NextWake();
  if (due >= session->timer_due) return;
  if (session->timer != 0) executor_.Cancel(session->timer);
  session->timer_due = due;
  session->timer =
      executor_.PostAfter(std::max(absl::ZeroDuration(), due - deps_.clock.Monotonic()),
                          [this, weak = std::weak_ptr<NodeSession>(session)] { Wake(weak); });
}

void Shard::Wake(const std::weak_ptr<NodeSession>& weak) {
  SessionPtr session = weak.lock();
  if (session == nullptr) return;
  session->timer = 0;
  session->timer_due = absl::InfiniteDuration();
  Feed(session, cloud::Tick{});
}

}  // namespace skerry::cloudhub
