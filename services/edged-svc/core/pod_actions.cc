#include "services/edged-svc/core/pod_actions.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/spec_hash.h"

namespace skerry::edged {
namespace {

using State = ContainerView::State;

bool Alive(const ContainerView& c) { return !c.sandbox_id.empty() && c.state != State::kExited; }

// The newest start in the present sandbox.
const ContainerView* InSandbox(const PodView& view, const std::string& name) {
  const SandboxView* sandbox = view.ReadySandbox();
  const ContainerView* latest = view.Latest(name);
  return sandbox != nullptr && latest != nullptr && latest->sandbox_id == sandbox->id ? latest
                                                                                      : nullptr;
}

struct InitProgress {
  bool done = false;
  const ContainerSpec* next = nullptr;  // Null while one runs.
  bool failed = false;                  // `next` has failed before.
};

InitProgress NextInit(const PodSpec& pod, const PodView& view) {
  if (pod.init_containers.empty()) return {.done = true};
  for (const ContainerSpec& c : pod.containers) {
    if (InSandbox(view, c.name) != nullptr) return {.done = true};
  }
  for (size_t i = pod.init_containers.size(); i-- > 0;) {
    const ContainerView* latest = InSandbox(view, pod.init_containers[i].name);
    if (latest == nullptr) continue;
    if (latest->state == State::kRunning) return {};
    if (latest->state != State::kExited) return {.next = &pod.init_containers[i]};
    if (latest->exit_code != 0) return {.next = &pod.init_containers[i], .failed = true};
    if (i + 1 == pod.init_containers.size()) return {.done = true};
    return {.next = &pod.init_containers[i + 1]};
  }
  return {.next = &pod.init_containers.front()};
}

class Planner {
 public:
  explicit Planner(const ActionInput& input) : in_(input), pod_(*input.pod), view_(*input.view) {}

  PodActions Run() {
    if (in_.goal == PodGoal::kRun) {
      PlanRun();
    } else {
      PlanEnd();
    }
    return std::move(out_);
  }

 private:
  void PlanEnd() {
    for (const ContainerView& c : view_.containers) {
      if (Alive(c) && c.state != State::kCreated) out_.kill.push_back({c.id, c.name, ""});
    }
    if (!out_.kill.empty()) return;
    for (const SandboxView& sandbox : view_.sandboxes) {
      if (sandbox.ready || in_.goal == PodGoal::kRemove) out_.stop_sandboxes.push_back(sandbox.id);
    }
    if (in_.goal != PodGoal::kRemove) return CollectGarbage();
    for (const ContainerView& c : view_.containers) {
      if (!c.sandbox_id.empty()) out_.remove_containers.push_back(c.id);
    }
    for (const SandboxView& sandbox : view_.sandboxes) out_.remove_sandboxes.push_back(sandbox.id);
    out_.gone = out_.remove_containers.empty() && out_.remove_sandboxes.empty();
  }

  void PlanRun() {
    if (view_.ReadySandbox() == nullptr) return PlanSandbox();
    CollectGarbage();
    const InitProgress init = NextInit(pod_, view_);
    if (!init.done) {
      if (init.next == nullptr || (init.failed && pod_.restart_policy == RestartPolicy::kNever))
        return;
      StartOrWait(*init.next);
      return;
    }
    for (const ContainerSpec& container : pod_.containers) PlanContainer(container);
  }

  void PlanSandbox() {
    for (const ContainerView& c : view_.containers) {
      if (Alive(c) && c.state == State::kRunning)
        out_.kill.push_back(
            {c.id, c.name, "Pod sandbox changed, it will be killed and re-created."});
    }
    if (!out_.kill.empty()) return;
    // A pod that never restarts what it has run stays as it ended.
    if (pod_.restart_policy == RestartPolicy::kNever && !view_.containers.empty()) return;
    const bool any = std::any_of(
        pod_.containers.begin(), pod_.containers.end(),
        [&](const ContainerSpec& c) { return ShouldRestart(pod_, view_.Latest(c.name)); });
    if (!any) return;
    if (!view_.sandboxes.empty()) {
      out_.stop_sandboxes.push_back(view_.sandboxes.front().id);
      out_.sandbox_attempt = view_.sandboxes.front().attempt + 1;
    }
    out_.create_sandbox = true;
  }

  void PlanContainer(const ContainerSpec& container) {
    const ContainerView* latest = view_.Latest(container.name);
    if (latest == nullptr || latest->state != State::kRunning) {
      if (latest != nullptr && latest->state == State::kUnknown && Alive(*latest)) {
        out_.kill.push_back({latest->id, latest->name,
                             absl::StrCat("Container ", container.name,
                                          " is in unknown state, try killing it before restart")});
        return;
      }
      if (ShouldRestart(pod_, latest)) StartOrWait(container);
      return;
    }
    const SandboxView* sandbox = view_.ReadySandbox();
    if (latest->sandbox_id != sandbox->id) {
      out_.kill.push_back(
          {latest->id, latest->name, "Pod sandbox changed, it will be killed and re-created."});
    } else if (latest->spec_hash != SpecHash(container)) {
      out_.kill.push_back(
          {latest->id, latest->name,
           absl::StrCat("Container ", container.name, " definition changed, will be restarted")});
    } else if (in_.unhealthy != nullptr) {
      if (const auto it = in_.unhealthy->find(latest->id); it != in_.unhealthy->end())
        out_.kill.push_back({latest->id, latest->name, it->second});
    }
  }

  void StartOrWait(const ContainerSpec& container) {
    const ContainerView* latest = view_.Latest(container.name);
    if (latest != nullptr && latest->state == State::kExited && in_.crashes != nullptr) {
      if (const auto it = in_.crashes->find(container.name); it != in_.crashes->end()) {
        const absl::Time at = it->second.NextAttempt(latest->finished, in_.now);
        if (at > in_.now) {
          out_.back_off[container.name] = {
              "CrashLoopBackOff", absl::StrCat("back-off ", absl::FormatDuration(it->second.delay),
                                               " restarting failed container=", container.name,
                                               " pod=", pod_.Display())};
          out_.next_check = std::min(out_.next_check, at);
          return;
        }
      }
    }
    out_.start.push_back(container.name);
  }

  // Keeps the newest end of each container and the sandboxes that hold one.
  void CollectGarbage() {
    std::set<std::string> kept, held;
    for (const ContainerView& c : view_.containers) {
      if (c.sandbox_id.empty()) continue;
      const bool newest = view_.Latest(c.name) == &c;
      if (!newest && (c.state == State::kExited || c.state == State::kCreated) &&
          !kept.insert(c.name).second) {
        out_.remove_containers.push_back(c.id);
        continue;
      }
      if (newest && c.state == State::kExited) kept.insert(c.name);
      held.insert(c.sandbox_id);
    }
    for (size_t i = 1; i < view_.sandboxes.size(); ++i) {
      if (held.contains(view_.sandboxes[i].id)) continue;
      if (view_.sandboxes[i].ready) out_.stop_sandboxes.push_back(view_.sandboxes[i].id);
      out_.remove_sandboxes.push_back(view_.sandboxes[i].id);
    }
  }

  const ActionInput& in_;
  const PodSpec& pod_;
  const PodView& view_;
  PodActions out_;
};

}  // namespace

bool ShouldRestart(const PodSpec& pod, const ContainerView* latest) {
  if (latest == nullptr) return true;
  if (latest->state == State::kRunning) return false;
  if (latest->state != State::kExited) return true;
  if (pod.restart_policy == RestartPolicy::kNever) return false;
  return pod.restart_policy == RestartPolicy::kAlways || latest->exit_code != 0;
}

bool IsInitialized(const PodSpec& pod, const PodView& view) { return NextInit(pod, view).done; }

PodActions ComputePodActions(const ActionInput& input) { return Planner(input).Run(); }

}  // namespace skerry::edged
