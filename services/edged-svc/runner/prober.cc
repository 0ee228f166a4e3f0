#include "services/edged-svc/runner/prober.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

constexpr Prober::Kind kKinds[] = {Prober::Kind::kStartup, Prober::Kind::kLiveness,
                                   Prober::Kind::kReadiness};

}  // namespace

const Probe* Prober::ProbeOf(const ContainerSpec& spec, Kind kind) {
  const std::optional<Probe>& probe = kind == Kind::kStartup    ? spec.startup
                                      : kind == Kind::kLiveness ? spec.liveness
                                                                : spec.readiness;
  return probe.has_value() ? &*probe : nullptr;
}

bool Prober::Enabled(const Tracked& tracked, Kind kind) {
  const auto startup = tracked.probes.find(Kind::kStartup);
  const bool started = startup == tracked.probes.end() || startup->second.result.value_or(false);
  return kind == Kind::kStartup ? !started : started;
}

const char* Prober::Name(Kind kind) {
  return kind == Kind::kStartup ? "startup" : kind == Kind::kLiveness ? "liveness" : "readiness";
}

const char* Prober::Title(Kind kind) {
  return kind == Kind::kStartup ? "Startup" : kind == Kind::kLiveness ? "Liveness" : "Readiness";
}

bool Prober::SaysNothing(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status);
}

void Prober::Track(const ContainerSpec& spec, const std::string& container_id, absl::Time started,
                   bool was_ready, bool was_started, absl::Time now) {
  Tracked& tracked = containers_[spec.name];
  if (tracked.id == container_id) return;
  tracked = {.id = container_id, .spec = spec};
  for (const Kind kind : kKinds) {
    const Probe* probe = ProbeOf(tracked.spec, kind);
    if (probe == nullptr) continue;
    State& state = tracked.probes[kind];
    state.next =
        std::max(started + probe->initial_delay, now);  // Not in the past: that is no delay.
    if (kind == Kind::kStartup && was_started) state.result = true;
    if (kind == Kind::kReadiness && was_ready) state.result = true;
  }
}

void Prober::Forget(const std::string& container) { containers_.erase(container); }

std::vector<Prober::Due> Prober::TakeDue(absl::Time now) {
  std::vector<Due> out;
  for (auto& [name, tracked] : containers_) {
    for (auto& [kind, state] : tracked.probes) {
      const Probe* probe = ProbeOf(tracked.spec, kind);
      // A time that is further away than any pause: the clock was set back.
      const bool early =
          state.next > now && state.next - now <= probe->initial_delay + probe->period;
      if (state.in_flight || early || !Enabled(tracked, kind)) continue;
      state.in_flight = true;
      state.begun = now;
      out.push_back(
          {name, tracked.id, kind, probe, std::max(absl::ZeroDuration(), now - state.next)});
    }
  }
  return out;
}

absl::Time Prober::NextDue() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [name, tracked] : containers_) {
    for (const auto& [kind, state] : tracked.probes) {
      if (!state.in_flight && Enabled(tracked, kind)) next = std::min(next, state.next);
    }
  }
  return next;
}

void Prober::Result(const std::string& container, const std::string& container_id, Kind kind,
                    const absl::Status& status, absl::Time now) {
  const auto it = containers_.find(container);
  if (it == containers_.end() || it->second.id != container_id) return;
  State& state = it->second.probes[kind];
  const Probe* probe = ProbeOf(it->second.spec, kind);
  if (probe == nullptr) return;
  state.in_flight = false;
  state.next = std::max(state.begun + probe->period, now);
  if (SaysNothing(status)) return;
  const bool success = status.ok();
  state.run = state.run > 0 && state.last == success ? state.run + 1 : 1;
  state.last = success;
  if (state.run >= (success ? probe->success_threshold : probe->failure_threshold))
    state.result = success;
  // Liveness and readiness begin at once when the startup probe has succeeded.
  if (kind == Kind::kStartup && state.result == true) {
    for (const Kind other : {Kind::kLiveness, Kind::kReadiness}) {
      if (const auto after = it->second.probes.find(other); after != it->second.probes.end())
        after->second.next = std::max(after->second.next, now);
    }
  }
}

Prober::Verdict Prober::Of(const std::string& container) const {
  Verdict verdict;
  const auto it = containers_.find(container);
  if (it == containers_.end()) return verdict;
  for (const auto& [kind, state] : it->second.probes) {
    switch (kind) {
      case Kind::kStartup:
        verdict.started = state.result.value_or(false);
        break;
      case Kind::kReadiness:
        verdict.ready = state.result.value_or(false);
        break;
      case Kind::kLiveness:
        break;
    }
    if (kind != Kind::kReadiness && state.result == false) {
      verdict.kill = absl::StrCat("Container ", container, " failed ", Name(kind),
                                  " probe, will be restarted");
    }
  }
  return verdict;
}

}  // namespace skerry::edged
