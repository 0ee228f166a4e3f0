// When to probe a pod's containers, and what the results say.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_PROBER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_PROBER_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// The kubelet's rules: nothing but the startup probe runs until that has succeeded; liveness starts
// as success, readiness as failure; thresholds count in a row; periods count from start to start. A
// value without threads: its owner asks what is due, runs it, tells the result.
class Prober {
 public:
  enum class Kind { kStartup, kLiveness, kReadiness };
  struct Due {
    std::string container, container_id;
    Kind kind;
    const Probe* probe;   // Of the container's spec.
    absl::Duration late;  // Since it was due.
  };
  struct Verdict {
    std::optional<bool> started, ready;
    std::string kill;  // Why the container has to be restarted; empty: it has not.
  };

  // Tells of a container that runs, at every step; a new id begins anew. `was_ready`,
  // `was_started`: what was last reported of this very id, after a restart of edged.
  void Track(const ContainerSpec& spec, const std::string& container_id, absl::Time started,
             bool was_ready, bool was_started, absl::Time now);
  void Forget(const std::string& container);

  // Probes to run now; each is then in flight until Result.
  std::vector<Due> TakeDue(absl::Time now);
  absl::Time NextDue() const;
  // Ignored for a container id that is no longer the one.
  void Result(const std::string& container, const std::string& container_id, Kind kind,
              const absl::Status& status, absl::Time now);

  Verdict Of(const std::string& container) const;

  // "startup", "liveness", "readiness".
  static const char* Name(Kind kind);
  // "Startup", "Liveness", "Readiness".
  static const char* Title(Kind kind);
  // A result that says nothing about the container: the probe could not be run.
  static bool SaysNothing(const absl::Status& status);

 private:
  struct State {
    absl::Time begun, next;
    bool in_flight = false;
    std::optional<bool> result;
    bool last = false;
    int run = 0;  // Results like the last, in a row.
  };
  struct Tracked {
    std::string id;
    ContainerSpec spec;
    std::map<Kind, State> probes;
  };
  static const Probe* ProbeOf(const ContainerSpec& spec, Kind kind);
  static bool Enabled(const Tracked& tracked, Kind kind);

  std::map<std::string, Tracked> containers_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_PROBER_H_
