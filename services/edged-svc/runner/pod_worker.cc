#include "services/edged-svc/runner/pod_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/spec_hash.h"
#include "services/edged-svc/core/status_json.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

// What is left for the stop signal, however long a preStop hook took.
constexpr absl::Duration kGraceMin = absl::Seconds(2);
constexpr absl::Duration kRetry = absl::Seconds(10);
constexpr absl::Duration kLate = absl::Seconds(1);  // The shortest period that a probe can have.

}  // namespace

PodWorker::PodWorker(WorkerDeps& deps, const std::string& uid,
                     std::optional<PodCheckpoint> checkpoint)
    : deps_(deps), uid_(uid), log_(deps.log.With({{"uid", uid}})) {
  if (!checkpoint.has_value()) return;
  previous_ = PodStatusFromJson(checkpoint->status_json);
  saved_json_ = checkpoint->status_json;
  crashes_ = saved_crashes_ = checkpoint->crashes;
}

void PodWorker::Mail(absl::AnyInvocable<void(PodWorker&)> apply) {
  {
    absl::MutexLock lock(&mailbox_mutex_);
    mailbox_.push_back(std::move(apply));
  }
  deps_.poke(uid_);
}

void PodWorker::DrainMailbox() {
  std::vector<absl::AnyInvocable<void(PodWorker&)>> mail;
  {
    absl::MutexLock lock(&mailbox_mutex_);
    mail.swap(mailbox_);
  }
  for (auto& apply : mail) apply(*this);
}

// The view is from after the last step: a stop that had ended by then has done what it could.
void PodWorker::ForgetStops(Outcome& outcome) {
  if (std::exchange(stop_ended_, false)) {
    outcome.changed = true;
    return;
  }
  const absl::Duration now = deps_.clock.Monotonic();
  std::erase_if(stops_, [&](const auto& entry) {
    return entry.second.ended && entry.second.retry_at <= now;
  });
  for (const auto& [id, stop] : stops_) {
    if (stop.ended) RetryAt(deps_.clock.Now() + (stop.retry_at - now), outcome);
  }
}

PodPlace PodWorker::PlaceOf(const PodView& view) const {
  PodPlace place{deps_.host_address, {}};
  if (const SandboxView* sandbox = view.ReadySandbox()) place.addresses = sandbox->addresses;
  return place;
}

int64_t PodWorker::GraceSeconds(const Input& input) const {
  return input.pod->deletion_time.has_value()
             ? std::max<int64_t>(1, input.pod->GraceSeconds())
             : std::max<int64_t>(1, input.pod->termination_grace_seconds);
}

PodGoal PodWorker::Goal(const Input& input, const PodStatus& status) const {
  if (input.absent || input.pod->deletion_time.has_value()) return PodGoal::kRemove;
  return status.terminal() ? PodGoal::kStop : PodGoal::kRun;
}

PodStatus PodWorker::Compute(const Input& input, const PodView& view) const {
  StatusInput in;
  in.pod = input.pod.get();
  in.view = &view;
  in.facts = &facts_;
  in.previous = previous_.has_value() ? &*previous_ : nullptr;
  in.host_address = deps_.host_address;
  in.forced_phase = forced_phase_;
  in.forced_reason = forced_reason_;
  in.forced_message = forced_message_;
  in.now = deps_.clock.Now();
  return ComputePodStatus(in);
}

// Adds to containers that have ended what they left as a message.
void PodWorker::ReadEnds(const Input& input, PodView& view) {
  std::map<std::string, std::string> seen;
  for (ContainerView& c : view.containers) {
    if (c.state != ContainerView::State::kExited) continue;
    auto it = messages_.find(c.id);
    if (it == messages_.end()) {
      const ContainerSpec* spec = input.pod->Find(c.name);
      const bool or_log = spec != nullptr && spec->message_falls_back_to_logs && c.exit_code != 0;
      it = messages_
               .emplace(c.id, deps_.folders.TerminationMessage(*input.pod, c.name, c.restart_count,
                                                               or_log))
               .first;
    }
    if (!it->second.empty()) c.message = it->second;
    seen.insert(*it);
  }
  messages_ = std::move(seen);
}

PodWorker::Outcome PodWorker::Step(const Input& input) {
  DrainMailbox();
  const absl::Time now = deps_.clock.Now();
  Outcome outcome;
  ForgetStops(outcome);
  PodView view = input.view;
  ReadEnds(input, view);
  if (previous_.has_value()) Remember(*input.pod, *previous_, now, view);
  if (!input.refusal.empty()) {
    forced_phase_ = "Failed";
    forced_reason_ = "InvalidPod";
    forced_message_ = input.refusal;
  } else if (forced_phase_.empty() && input.pod->active_deadline_seconds.has_value() &&
             previous_.has_value() && !previous_->terminal()) {
    const absl::Time deadline =
        previous_->start_time + absl::Seconds(*input.pod->active_deadline_seconds);
    if (deadline > now) {
      RetryAt(deadline, outcome);
    } else {
      forced_phase_ = "Failed";
      forced_reason_ = "DeadlineExceeded";
      forced_message_ = "Pod was active on the node longer than the specified deadline";
      deps_.events.Record(AboutPod(*input.pod), EventType::kNormal, forced_reason_,
                          forced_message_);
    }
  }
  ObserveProbes(*input.pod, view);
  previous_ = Compute(input, view);
  const PodGoal goal = Goal(input, *previous_);

  ActionInput ask;
  ask.pod = input.pod.get();
  ask.view = &view;
  ask.crashes = &crashes_;
  ask.unhealthy = &unhealthy_;
  ask.goal = goal;
  ask.now = now;
  const PodActions actions = ComputePodActions(ask);
  for (const auto& [container, waiting] : actions.back_off) {
    facts_[container].waiting = waiting;
    TellCrashBackOff(*input.pod, container, waiting.message);
  }
  RetryAt(actions.next_check, outcome);
  Perform(input, view, actions, outcome);
  if (goal == PodGoal::kRun) {
    RefreshVolumes(input, view);
    RunProbes(*input.pod, view);
    RetryAt(prober_.NextDue(), outcome);
  }
  previous_ = Compute(input, view);
  outcome.status = *previous_;
  outcome.status_json = ToJson(*previous_, deps_.runtime_name, input.pod->foreign_conditions);
  if (actions.gone && InFlight() == 0) {
    Finish(input, outcome);
  } else {
    Save(input, outcome);
  }
  return outcome;
}

int PodWorker::InFlight() const {
  int calls = 0;
  for (const auto& [id, stop] : stops_) calls += stop.calls;
  return calls;
}

void PodWorker::Save(const Input& input, Outcome& outcome) {
  if (outcome.status_json == saved_json_ && crashes_ == saved_crashes_) return;
  const absl::Status status =
      deps_.checkpoints.Put({uid_, input.pod->name_space, input.pod->name, outcome.status_json,
                             crashes_, GraceSeconds(input)});
  if (!status.ok()) {
    log_.Error("pod checkpoint not written", status);
    return RetryAt(deps_.clock.Now() + kRetry, outcome);
  }
  saved_json_ = outcome.status_json;
  saved_crashes_ = crashes_;
}

void PodWorker::Finish(const Input& input, Outcome& outcome) {
  absl::Status status = deps_.folders.Remove(*input.pod);
  if (status.ok()) status = deps_.checkpoints.Delete(uid_);
  if (!status.ok()) {
    log_.Warning("pod not yet removed", status, {{"pod", input.pod->key()}});
    return RetryAt(deps_.clock.Now() + kRetry, outcome);
  }
  deps_.remove_cgroup(CgroupOf(*input.pod));
  log_.Info("pod removed", {{"pod", input.pod->key()}});
  outcome.gone = true;
}

void PodWorker::ObserveProbes(const PodSpec& pod, const PodView& view) {
  unhealthy_.clear();
  for (const ContainerSpec& spec : pod.containers) {
    const ContainerView* latest = view.Latest(spec.name);
    if (latest == nullptr || latest->state != ContainerView::State::kRunning) {
      prober_.Forget(spec.name);
      continue;
    }
    const ContainerStatus* before = previous_.has_value() ? previous_->Find(spec.name) : nullptr;
    const bool same = before != nullptr && before->container_id == latest->id;
    prober_.Track(spec, latest->id, latest->started, same && before->ready, same && before->started,
                  deps_.clock.Now());
    const Prober::Verdict verdict = prober_.Of(spec.name);
    ContainerFacts& facts = facts_[spec.name];
    facts.waiting = {};
    facts.probed_id = latest->id;
    facts.ready = verdict.ready;
    facts.started = verdict.started;
    if (!verdict.kill.empty()) unhealthy_[latest->id] = verdict.kill;
  }
  for (const ContainerSpec& spec : pod.init_containers) {
    const ContainerView* latest = view.Latest(spec.name);
    if (latest != nullptr && latest->state == ContainerView::State::kRunning)
      facts_[spec.name].waiting = {};
  }
}

void PodWorker::RunProbes(const PodSpec& pod, const PodView& view) {
  const PodPlace place = PlaceOf(view);
  const std::string address =
      place.addresses.empty() ? deps_.host_address : place.addresses.front();
  for (const Prober::Due& due : prober_.TakeDue(deps_.clock.Now())) {
    if (due.late > kLate) deps_.probe_late();
    deps_.handlers.Run(
        HandlerRunner::Use::kProbe, due.container_id, address, due.probe->handler,
        due.probe->timeout,
        [self = shared_from_this(), name = due.container, id = due.container_id, kind = due.kind,
         about = AboutContainer(pod, due.container)](absl::Status status) {
          self->deps_.probed(kind, status);
          self->Mail([name, id, kind, about, status](PodWorker& worker) {
            worker.prober_.Result(name, id, kind, status, worker.deps_.clock.Now());
            // Of what is being stopped no more is expected.
            if (status.ok() || Prober::SaysNothing(status) || worker.stops_.contains(id)) return;
            worker.deps_.events.Record(
                about, EventType::kWarning, "Unhealthy",
                absl::StrCat(Prober::Title(kind), " probe failed: ", status.message()));
          });
        });
  }
}

void PodWorker::Perform(const Input& input, const PodView& view, const PodActions& actions,
                        Outcome& outcome) {
  for (const KillContainer& kill : actions.kill) Kill(input, view, kill);
  PerformRemovals(input, actions, outcome);
  if (actions.create_sandbox) CreateSandbox(input, actions, outcome);
  for (const std::string& name : actions.start) Start(input, view, name, outcome);
}

// Stops (unless a new sandbox is to follow, which stops the old one itself) and removals, in order;
// the first failure puts off the rest.
void PodWorker::PerformRemovals(const Input& input, const PodActions& actions, Outcome& outcome) {
  const absl::Time now = deps_.clock.Now();
  if (now < removal_next_ && removal_next_ - now <= kRetry) return RetryAt(removal_next_, outcome);
  const auto failed = [&](absl::string_view what, const std::string& id,
                          const absl::Status& status) {
    if (status.ok()) {
      outcome.changed = true;
      return false;
    }
    log_.Warning("removal failed", status, {{"what", what}, {"id", id}});
    removal_next_ = now + kRetry;
    RetryAt(removal_next_, outcome);
    return true;
  };
  if (!actions.create_sandbox) {
    for (const std::string& id : actions.stop_sandboxes) {
      if (failed("stop sandbox", id, deps_.runtime.StopSandbox(id))) return;
    }
  }
  for (const std::string& id : actions.remove_containers) {
    if (failed("remove container", id, deps_.runtime.RemoveContainer(id))) return;
    for (const ContainerView& c : input.view.containers) {
      if (c.id == id) deps_.folders.RemoveLog(*input.pod, c.name, c.restart_count);
    }
  }
  for (const std::string& id : actions.remove_sandboxes) {
    if (failed("remove sandbox", id, deps_.runtime.RemoveSandbox(id))) return;
  }
}

bool PodWorker::Held(const std::string& what, const Input& input, Outcome& outcome) const {
  const auto it = holds_.find(what);
  if (it == holds_.end() || it->second.objects_revision != input.objects_revision) return false;
  const absl::Duration left = it->second.until - deps_.clock.Now();
  if (left <= absl::ZeroDuration() || left > kRetry)
    return false;  // Over, or the clock was set back.
  RetryAt(it->second.until, outcome);
  return true;
}

void PodWorker::HoldBack(const std::string& what, absl::Duration pause, const Input& input,
                         Outcome& outcome) {
  holds_[what] = {deps_.clock.Now() + pause, input.objects_revision};
  RetryAt(holds_[what].until, outcome);
}

void PodWorker::Kill(const Input& input, const PodView& view, const KillContainer& kill) {
  const ContainerSpec* spec = input.pod->Find(kill.name);
  int64_t grace_seconds = GraceSeconds(input);
  if (const auto it = unhealthy_.find(kill.id);
      it != unhealthy_.end() && spec != nullptr && !input.pod->deletion_time.has_value()) {
    const std::optional<Probe>& probe =
        spec->startup.has_value() && !facts_[kill.name].started.value_or(true) ? spec->startup
                                                                               : spec->liveness;
    if (probe.has_value()) grace_seconds = probe->termination_grace_seconds.value_or(grace_seconds);
  }
  const absl::Duration grace = absl::Seconds(grace_seconds);
  const absl::Duration deadline = deps_.clock.Monotonic() + grace;
  const auto [it, first] = stops_.try_emplace(kill.id, Stop{deadline});
  if (!first) {
    // Only a shorter grace (a second, forced deletion) changes what has begun.
    if (it->second.ended || deadline > it->second.deadline - absl::Seconds(1)) return;
    it->second.deadline = deadline;
    return StopAfterHook(kill.id, grace);
  }
  log_.Info("container is being stopped",
            {{"pod", input.pod->key()},
             {"container", kill.name},
             {"grace", grace},
             {"reason", kill.why.empty() ? "the pod ends" : kill.why}});
  const EventTarget about = AboutContainer(*input.pod, kill.name);
  deps_.events.Record(about, EventType::kNormal, "Killing",
                      kill.why.empty() ? absl::StrCat("Stopping container ", kill.name) : kill.why);
  if (spec == nullptr || !spec->pre_stop.has_value()) return StopAfterHook(kill.id, grace);
  ++it->second.calls;
  const PodPlace place = PlaceOf(view);
  deps_.handlers.Run(
      HandlerRunner::Use::kHook, kill.id,
      place.addresses.empty() ? deps_.host_address : place.addresses.front(), *spec->pre_stop,
      grace, [self = shared_from_this(), id = kill.id, about](absl::Status status) {
        self->Mail([id, about, status](PodWorker& worker) {
          if (!status.ok()) {
            worker.log_.Warning("preStop hook failed", status, {{"container", id}});
            worker.deps_.events.Record(about, EventType::kWarning, "FailedPreStopHook",
                                       "PreStopHook failed");
          }
          Stop& stop = worker.stops_[id];
          --stop.calls;
          worker.StopAfterHook(id,
                               std::max(kGraceMin, stop.deadline - worker.deps_.clock.Monotonic()));
        });
      });
}

void PodWorker::StopAfterHook(const std::string& id, absl::Duration grace) {
  ++stops_[id].calls;
  deps_.runtime.StopContainer(id, grace, [self = shared_from_this(), id](absl::Status status) {
    self->Mail([id, status](PodWorker& worker) {
      if (!status.ok()) worker.log_.Warning("container not stopped", status, {{"container", id}});
      const auto it = worker.stops_.find(id);
      if (it == worker.stops_.end() || --it->second.calls > 0) return;
      it->second.ended = worker.stop_ended_ = true;
      if (!status.ok()) it->second.retry_at = worker.deps_.clock.Monotonic() + kRetry;
    });
  });
}

}  // namespace skerry::edged
