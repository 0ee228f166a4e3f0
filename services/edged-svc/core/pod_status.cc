#include "services/edged-svc/core/pod_status.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/edged-svc/core/pod_actions.h"
#include "services/edged-svc/core/resources.h"

namespace skerry::edged {
namespace {

using Kind = ContainerState::Kind;

ContainerState Terminated(const ContainerView& c) {
  ContainerState state;
  state.kind = Kind::kTerminated;
  state.exit_code = c.exit_code;
  state.reason = !c.reason.empty() ? c.reason : c.exit_code == 0 ? "Completed" : "Error";
  state.message = c.message;
  state.started = c.started;
  state.finished = c.finished;
  state.container_id = c.id;
  return state;
}

ContainerState WaitingState(absl::string_view reason, absl::string_view message) {
  ContainerState state;
  state.kind = Kind::kWaiting;
  state.reason = std::string(reason);
  state.message = std::string(message);
  return state;
}

class StatusBuilder {
 public:
  explicit StatusBuilder(const StatusInput& input)
      : in_(input), pod_(*input.pod), view_(*input.view) {}

  PodStatus Build() {
    initialized_ = IsInitialized(pod_, view_);
    out_.qos = std::string(QosName(QosOf(pod_)));
    out_.host_address = in_.host_address;
    out_.start_time = in_.previous != nullptr && in_.previous->start_time != absl::UnixEpoch()
                          ? in_.previous->start_time
                          : in_.now;
    SetAddresses();
    for (const ContainerSpec& c : pod_.init_containers)
      out_.init_containers.push_back(OfContainer(c, true));
    for (const ContainerSpec& c : pod_.containers) out_.containers.push_back(OfContainer(c, false));
    SetPhase();
    SetConditions();
    return std::move(out_);
  }

 private:
  void SetAddresses() {
    if (pod_.host_network) {
      if (!view_.sandboxes.empty()) out_.addresses = {in_.host_address};
    } else if (const SandboxView* sandbox = view_.ReadySandbox()) {
      out_.addresses = sandbox->addresses;
    } else if (in_.previous != nullptr) {
      out_.addresses = in_.previous->addresses;  // Until a new sandbox has one, as the kubelet.
    }
  }

  const ContainerFacts* Facts(const std::string& name) const {
    if (in_.facts == nullptr) return nullptr;
    const auto it = in_.facts->find(name);
    return it == in_.facts->end() ? nullptr : &it->second;
  }

  bool InReadySandbox(const ContainerView& c) const {
    const SandboxView* sandbox = view_.ReadySandbox();
    return sandbox != nullptr && c.sandbox_id == sandbox->id;
  }

  ContainerStatus OfContainer(const ContainerSpec& spec, bool init) {
    ContainerStatus s;
    s.name = spec.name;
    s.image = spec.image;
    const ContainerView* latest = view_.Latest(spec.name);
    const ContainerFacts* facts = Facts(spec.name);
    // An init container of an earlier sandbox runs again.
    const bool stale = init && latest != nullptr && !initialized_ &&
                       view_.ReadySandbox() != nullptr &&
                       latest->sandbox_id != view_.ReadySandbox()->id;
    if (latest != nullptr) {
      s.restart_count = latest->restart_count;
      s.container_id = latest->id;
      s.image_id = latest->image_id;
      if (!latest->image.empty() && !absl::StartsWith(latest->image, "sha256:"))
        s.image = latest->image;
      SetLastState(spec.name, *latest, s);
    }
    const bool waits_for_init = !init && !pod_.init_containers.empty() && !initialized_;
    const char* const pending = init || waits_for_init ? "PodInitializing" : "ContainerCreating";
    if (latest == nullptr) {
      s.state = WaitingState(pending, "");
    } else if (latest->state == ContainerView::State::kRunning) {
      s.state.kind = Kind::kRunning;
      s.state.started = latest->started;
    } else if (latest->state == ContainerView::State::kExited) {
      s.state = Terminated(*latest);
    } else {
      s.state = WaitingState(pending, "");
    }
    // What is to be started and can't be is waiting, and says why.
    const bool again =
        latest == nullptr || stale ||
        (init ? latest->state != ContainerView::State::kRunning &&
                    !(latest->state == ContainerView::State::kExited &&
                      (latest->exit_code == 0 || pod_.restart_policy == RestartPolicy::kNever))
              : ShouldRestart(pod_, latest));
    const bool ending = pod_.deletion_time.has_value() || !in_.forced_phase.empty() ||
                        (in_.previous != nullptr && in_.previous->terminal());
    if (again && !ending && facts != nullptr && !facts->waiting.reason.empty()) {
      if (s.state.kind == Kind::kTerminated) s.last_state = s.state;
      s.state = WaitingState(facts->waiting.reason, facts->waiting.message);
    } else if (again && !ending && latest != nullptr && !InReadySandbox(*latest)) {
      // A new sandbox comes or has come: the end of the earlier one is history.
      if (s.state.kind == Kind::kTerminated) s.last_state = s.state;
      s.state = WaitingState(pending, "");
    }
    SetReady(spec, init, latest, facts, s);
    return s;
  }

  void SetLastState(const std::string& name, const ContainerView& latest, ContainerStatus& s) {
    for (const ContainerView& c : view_.containers) {
      if (c.name != name || &c == &latest || c.state != ContainerView::State::kExited) continue;
      s.last_state = Terminated(c);
      return;
    }
    if (in_.previous == nullptr) return;
    if (const ContainerStatus* before = in_.previous->Find(name)) {
      if (before->container_id == s.container_id) s.last_state = before->last_state;
    }
  }

  void SetReady(const ContainerSpec& spec, bool init, const ContainerView* latest,
                const ContainerFacts* facts, ContainerStatus& s) {
    if (init) {
      s.ready = s.state.kind == Kind::kTerminated && s.state.exit_code == 0;
      s.started = s.state.kind == Kind::kRunning;
      return;
    }
    if (s.state.kind != Kind::kRunning) return;
    const bool known = facts != nullptr && facts->probed_id == latest->id;
    s.started = !spec.startup.has_value() || (known && facts->started.value_or(false));
    s.ready = s.started && (!spec.readiness.has_value() || (known && facts->ready.value_or(false)));
  }

  void SetPhase() {
    if (in_.previous != nullptr && in_.previous->terminal()) {
      out_.phase = in_.previous->phase;
      out_.reason = in_.previous->reason;
      out_.message = in_.previous->message;
      return;
    }
    if (!in_.forced_phase.empty()) {
      out_.phase = in_.forced_phase;
      out_.reason = in_.forced_reason;
      out_.message = in_.forced_message;
      return;
    }
    out_.phase = Phase();
  }

  std::string Phase() const {
    int init_pending = 0, init_failed = 0;
    for (const ContainerStatus& s : out_.init_containers) {
      const ContainerState& end = s.state.kind == Kind::kTerminated ? s.state : s.last_state;
      if (s.state.kind == Kind::kRunning || end.kind != Kind::kTerminated) {
        ++init_pending;
      } else if (end.exit_code != 0) {
        ++init_failed;
      } else if (s.state.kind == Kind::kWaiting) {
        ++init_pending;
      }
    }
    if (init_failed > 0 && pod_.restart_policy == RestartPolicy::kNever) return "Failed";
    int waiting = 0, running = 0, stopped = 0, succeeded = 0;
    for (const ContainerStatus& s : out_.containers) {
      switch (s.state.kind) {
        case Kind::kRunning:
          ++running;
          break;
        case Kind::kTerminated:
          ++stopped;
          if (s.state.exit_code == 0) ++succeeded;
          break;
        case Kind::kWaiting:
        case Kind::kNone:
          if (s.last_state.kind == Kind::kTerminated) {
            ++stopped;
          } else {
            ++waiting;
          }
      }
    }
    if (init_pending > 0 && !initialized_ && running == 0 && stopped == 0) return "Pending";
    // A deleted pod whose containers have all ended has ended, whatever its restart policy.
    if (pod_.deletion_time.has_value() && running == 0 && waiting == 0 && stopped > 0)
      return stopped == succeeded ? "Succeeded" : "Failed";
    if (waiting > 0) return "Pending";
    if (running > 0) return "Running";
    if (stopped == 0) return "Pending";
    if (pod_.restart_policy == RestartPolicy::kAlways) return "Running";
    if (stopped == succeeded) return "Succeeded";
    return pod_.restart_policy == RestartPolicy::kNever ? "Failed" : "Running";
  }

  void Condition(const char* type, bool status, absl::string_view reason = "",
                 absl::string_view message = "") {
    PodCondition c{type, status ? "True" : "False", std::string(reason), std::string(message),
                   in_.now};
    if (in_.previous != nullptr) {
      for (const PodCondition& before : in_.previous->conditions) {
        if (before.type == c.type && before.status == c.status) c.transition = before.transition;
      }
    }
    out_.conditions.push_back(std::move(c));
  }

  void SetConditions() {
    Condition("PodReadyToStartContainers", view_.ReadySandbox() != nullptr);
    std::vector<std::string> incomplete, unready;
    for (const ContainerStatus& s : out_.init_containers) {
      if (!s.ready) incomplete.push_back(s.name);
    }
    if (out_.phase == "Succeeded") {
      Condition("Initialized", true, "PodCompleted");
    } else if (initialized_ || incomplete.empty()) {
      Condition("Initialized", true);
    } else {
      Condition("Initialized", false, "ContainersNotInitialized",
                absl::StrCat("containers with incomplete status: [", absl::StrJoin(incomplete, " "),
                             "]"));
    }
    for (const ContainerStatus& s : out_.containers) {
      if (!s.ready) unready.push_back(s.name);
    }
    for (const char* type : {"Ready", "ContainersReady"}) {
      if (out_.phase == "Succeeded") {
        Condition(type, false, "PodCompleted");
      } else if (out_.phase == "Failed") {
        Condition(type, false, "PodFailed");
      } else if (!unready.empty()) {
        Condition(
            type, false, "ContainersNotReady",
            absl::StrCat("containers with unready status: [", absl::StrJoin(unready, " "), "]"));
      } else {
        Condition(type, true);
      }
    }
    Condition("PodScheduled", true);
  }

  const StatusInput& in_;
  const PodSpec& pod_;
  const PodView& view_;
  PodStatus out_;
  bool initialized_ = false;
};

}  // namespace

const ContainerStatus* PodStatus::Find(absl::string_view container) const {
  for (const auto* list : {&init_containers, &containers}) {
    for (const ContainerStatus& s : *list) {
      if (s.name == container) return &s;
    }
  }
  return nullptr;
}

PodStatus ComputePodStatus(const StatusInput& input) { return StatusBuilder(input).Build(); }

void Remember(const PodSpec& pod, const PodStatus& previous, absl::Time now, PodView& view) {
  for (const auto* list : {&pod.init_containers, &pod.containers}) {
    for (const ContainerSpec& spec : *list) {
      const ContainerStatus* before = previous.Find(spec.name);
      if (before == nullptr || before->container_id.empty() || view.Latest(spec.name) != nullptr)
        continue;
      ContainerView c;
      c.id = before->container_id;
      c.name = spec.name;
      c.restart_count = before->restart_count;
      c.state = ContainerView::State::kExited;
      c.image = before->image;
      c.image_id = before->image_id;
      const ContainerState& end =
          before->state.kind == Kind::kWaiting ? before->last_state : before->state;
      if (end.kind == Kind::kTerminated) {
        c.exit_code = end.exit_code;
        c.reason = end.reason;
        c.message = end.message;
        c.started = end.started;
        c.finished = end.finished;
      } else {
        c.exit_code = 137;
        c.reason = "ContainerStatusUnknown";
        c.message = "The container could not be located when the pod was terminated";
        c.started = end.started;
        c.finished = now;
      }
      view.containers.push_back(std::move(c));
    }
  }
}

}  // namespace skerry::edged
