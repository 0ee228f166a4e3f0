// What a pod does and what is said of it, as scripts (testdata/pod_machine). Commands:
//   pod restart=Never init=a,b containers=c,d [probes=c] [deleting]   the pod from here on
//   sandbox id=s0 attempt=0 [notready] [ip=10.0.0.2]
//   container name=c id=c0 sandbox=s0 state=running|exited|created|unknown [exit=1] [restarts=0]
//   [at=10] [image=i:1] lose                   the runtime forgets everything fact name=c
//   [waiting=Reason] [message=text] [id=c0] [ready=true] [started=true] crash name=c at=10     a
//   failed container was started again unhealthy id=c0 now 100                seconds actions
//   [goal=run|stop|remove] status                 is remembered as the last reported one reboot
//   forgets all but that
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/core/pod_actions.h"
#include "services/edged-svc/core/pod_status.h"
#include "services/edged-svc/core/spec_hash.h"
#include "services/edged-svc/core/status_json.h"
#include "services/lib/testing/script_test.h"

namespace skerry::edged {
namespace {

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'000'000 + seconds); }
std::string Seconds(absl::Time time) {
  if (time == absl::UnixEpoch()) return "-";
  if (time == absl::InfiniteFuture()) return "never";
  return absl::StrCat(absl::ToUnixSeconds(time) - 1'000'000);
}

class Machine {
 public:
  std::string Run(const skerry::testing::ScriptCommand& c) {
    if (c.name == "pod") return Pod(c);
    if (c.name == "sandbox") return Sandbox(c);
    if (c.name == "container") return Container(c);
    if (c.name == "lose") view_ = {};
    if (c.name == "fact") return Fact(c);
    if (c.name == "crash") crashes_[c.Arg("name")].Next(At(c.Int("at")), now_);
    if (c.name == "unhealthy")
      unhealthy_[c.Arg("id")] = "Container failed liveness probe, will be restarted";
    if (c.name == "now") now_ = At(std::stoll(c.words.at(0)));
    if (c.name == "actions") return Actions(c);
    if (c.name == "status") return Status();
    if (c.name == "reboot") {
      crashes_.clear();
      facts_.clear();
      unhealthy_.clear();
      // Through its stored form, as on a real box.
      previous_ = PodStatusFromJson(ToJson(*previous_, "containerd", {}));
    }
    return "";
  }

 private:
  std::string Pod(const skerry::testing::ScriptCommand& c) {
    pod_ = {};
    pod_.name_space = "ns";
    pod_.name = "p";
    pod_.uid = "u";
    const std::string restart = c.Arg("restart", "Always");
    pod_.restart_policy = restart == "Never"       ? RestartPolicy::kNever
                          : restart == "OnFailure" ? RestartPolicy::kOnFailure
                                                   : RestartPolicy::kAlways;
    if (absl::StrContains(c.text, " deleting")) pod_.deletion_time = now_;
    Add(c.Arg("init", ""), pod_.init_containers);
    Add(c.Arg("containers", "c"), pod_.containers);
    for (ContainerSpec& container : pod_.containers) {
      if (c.Arg("probes", "") == container.name) container.readiness = container.startup = Probe{};
    }
    return "";
  }
  static void Add(const std::string& names, std::vector<ContainerSpec>& out) {
    for (absl::string_view name : absl::StrSplit(names, ',', absl::SkipEmpty())) {
      out.emplace_back().name = std::string(name);
      out.back().image = "i:1";
    }
  }
  std::string Sandbox(const skerry::testing::ScriptCommand& c) {
    SandboxView sandbox{c.Arg("id"),
                        static_cast<uint32_t>(c.Int("attempt", 0)),
                        !absl::StrContains(c.text, " notready"),
                        now_,
                        {c.Arg("ip", "10.0.0.2")}};
    std::erase_if(view_.sandboxes, [&](const SandboxView& s) { return s.id == sandbox.id; });
    view_.sandboxes.insert(view_.sandboxes.begin(), sandbox);
    std::stable_sort(view_.sandboxes.begin(), view_.sandboxes.end(),
                     [](const auto& a, const auto& b) { return a.attempt > b.attempt; });
    return "";
  }
  std::string Container(const skerry::testing::ScriptCommand& c) {
    ContainerView v;
    v.id = c.Arg("id");
    v.name = c.Arg("name");
    v.sandbox_id = c.Arg("sandbox");
    v.restart_count = static_cast<int32_t>(c.Int("restarts", 0));
    v.image = c.Arg("image", "i:1");
    ContainerSpec spec;
    spec.name = v.name;
    spec.image = v.image;
    v.spec_hash = SpecHash(spec);
    const std::string state = c.Arg("state");
    v.state = state == "running"   ? ContainerView::State::kRunning
              : state == "exited"  ? ContainerView::State::kExited
              : state == "created" ? ContainerView::State::kCreated
                                   : ContainerView::State::kUnknown;
    v.started = At(c.Int("at", 1));
    if (v.state == ContainerView::State::kExited) v.finished = At(c.Int("at", 1));
    v.exit_code = static_cast<int32_t>(c.Int("exit", 0));
    std::erase_if(view_.containers, [&](const ContainerView& other) { return other.id == v.id; });
    view_.containers.push_back(v);
    std::stable_sort(
        view_.containers.begin(), view_.containers.end(),
        [](const auto& a, const auto& b) { return a.restart_count > b.restart_count; });
    return "";
  }
  std::string Fact(const skerry::testing::ScriptCommand& c) {
    ContainerFacts& facts = facts_[c.Arg("name")];
    facts.waiting = {c.Arg("waiting", ""), c.Arg("message", "")};
    facts.probed_id = c.Arg("id", "");
    if (c.Has("ready")) facts.ready = c.Arg("ready") == "true";
    if (c.Has("started")) facts.started = c.Arg("started") == "true";
    return "";
  }

  PodView View() const {
    PodView view = view_;
    if (previous_.has_value()) Remember(pod_, *previous_, now_, view);
    return view;
  }

  std::string Actions(const skerry::testing::ScriptCommand& c) {
    const PodView view = View();
    ActionInput in;
    in.pod = &pod_;
    in.view = &view;
    in.crashes = &crashes_;
    in.unhealthy = &unhealthy_;
    const std::string goal = c.Arg("goal", "run");
    in.goal = goal == "stop" ? PodGoal::kStop : goal == "remove" ? PodGoal::kRemove : PodGoal::kRun;
    in.now = now_;
    const PodActions out = ComputePodActions(in);
    std::vector<std::string> lines;
    for (const KillContainer& kill : out.kill)
      lines.push_back(absl::StrCat("kill ", kill.id, kill.why.empty() ? "" : ": ", kill.why));
    for (const std::string& id : out.stop_sandboxes) lines.push_back("stop sandbox " + id);
    for (const std::string& id : out.remove_containers) lines.push_back("remove container " + id);
    for (const std::string& id : out.remove_sandboxes) lines.push_back("remove sandbox " + id);
    if (out.create_sandbox)
      lines.push_back(absl::StrCat("create sandbox attempt=", out.sandbox_attempt));
    for (const std::string& name : out.start) lines.push_back("start " + name);
    for (const auto& [name, waiting] : out.back_off) {
      lines.push_back(absl::StrCat("wait ", name, " ", waiting.reason, ": ", waiting.message));
      facts_[name].waiting = waiting;
    }
    if (out.next_check != absl::InfiniteFuture())
      lines.push_back("look again at " + Seconds(out.next_check));
    if (out.gone) lines.push_back("gone");
    return lines.empty() ? "nothing" : absl::StrJoin(lines, "\n");
  }

  static std::string Show(const ContainerState& s) {
    const std::string why =
        absl::StrCat(s.reason.empty() ? "" : " ", s.reason,
                     s.message.empty() ? "" : absl::StrCat(" (", s.message, ")"));
    switch (s.kind) {
      case ContainerState::Kind::kNone:
        return "none";
      case ContainerState::Kind::kWaiting:
        return "waiting" + why;
      case ContainerState::Kind::kRunning:
        return "running since " + Seconds(s.started);
      case ContainerState::Kind::kTerminated:
        return absl::StrCat("ended ", s.exit_code, " at ", Seconds(s.finished), why);
    }
    return "";
  }

  std::string Status() {
    const PodView view = View();
    StatusInput in;
    in.pod = &pod_;
    in.view = &view;
    in.facts = &facts_;
    in.previous = previous_.has_value() ? &*previous_ : nullptr;
    in.host_address = "192.0.2.1";
    in.now = now_;
    previous_ = ComputePodStatus(in);
    std::vector<std::string> lines = {absl::StrCat(
        previous_->phase, previous_->reason.empty() ? "" : " ", previous_->reason, " start=",
        Seconds(previous_->start_time), " ip=", absl::StrJoin(previous_->addresses, ","))};
    for (const auto* list : {&previous_->init_containers, &previous_->containers}) {
      for (const ContainerStatus& s : *list) {
        lines.push_back(absl::StrCat(
            "  ", s.name, list == &previous_->init_containers ? " (init)" : "", ": ", Show(s.state),
            "; restarts=", s.restart_count, s.ready ? " ready" : "", s.started ? " started" : "",
            s.last_state.kind == ContainerState::Kind::kNone ? ""
                                                             : "; before: " + Show(s.last_state)));
      }
    }
    for (const PodCondition& condition : previous_->conditions) {
      if (condition.type == "PodScheduled" || condition.type == "ContainersReady") continue;
      lines.push_back(absl::StrCat("  ", condition.type, "=", condition.status, " since ",
                                   Seconds(condition.transition),
                                   condition.reason.empty() ? "" : " ", condition.reason,
                                   condition.message.empty() ? "" : ": ", condition.message));
    }
    return absl::StrJoin(lines, "\n");
  }

  PodSpec pod_;
  PodView view_;
  std::map<std::string, ContainerFacts> facts_;
  std::map<std::string, Backoff> crashes_;
  std::map<std::string, std::string> unhealthy_;
  std::optional<PodStatus> previous_;
  absl::Time now_ = At(0);
};

TEST(PodMachineTest, Scripts) {
  skerry::testing::RunScripts("services/edged-svc/core/testdata/pod_machine", [] {
    auto machine = std::make_shared<Machine>();
    return
        [machine](const skerry::testing::ScriptCommand& command) { return machine->Run(command); };
  });
}

}  // namespace
}  // namespace skerry::edged
