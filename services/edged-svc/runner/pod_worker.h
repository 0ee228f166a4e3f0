// Brings one pod to where its spec wants it, a step at a time.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_WORKER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_WORKER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/adapters/pod_folders.h"
#include "services/edged-svc/core/backoff.h"
#include "services/edged-svc/core/env.h"
#include "services/edged-svc/core/kube_event.h"
#include "services/edged-svc/core/object_source.h"
#include "services/edged-svc/core/pod_actions.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/pod_status.h"
#include "services/edged-svc/core/resources.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/runner/handler_runner.h"
#include "services/edged-svc/runner/prober.h"
#include "services/edged-svc/store/checkpoint_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {

// What all workers share; outlives them.
struct WorkerDeps {
  Runtime& runtime;
  PodFolders& folders;
  CheckpointStore& checkpoints;
  const ObjectSource& objects;
  HandlerRunner& handlers;
  EventSink& events;
  Clock& clock;
  log::Logger log;
  NodeResources node;
  std::string node_name, host_address, cgroup_parent, seccomp_folder;
  DnsConfig cluster_dns;  // Empty servers: pods use the host's.
  std::string runtime_name = "containerd";
  std::function<void(const std::string& uid)> poke;  // Asks for a step. Any thread.
  std::function<void()> restarted;                   // Counts a restart of a container.
  std::function<void()> probe_late;                  // Counts one that began after its time.
  std::function<void(Prober::Kind kind, const absl::Status& result)> probed;
  std::function<void(const std::string& cgroup)> remove_cgroup;
};

// Created for one uid. Step is never called by two threads at a time; the results of what a step
// has begun arrive on other threads, wait in a mailbox and ask for the next step. Kept alive by
// what it has begun.
class PodWorker : public std::enable_shared_from_this<PodWorker> {
 public:
  struct Input {
    std::shared_ptr<const PodSpec> pod;  // The newest that could be read.
    std::string refusal;                 // Why the object can't be run; empty: it can.
    bool absent = false;                 // The box no longer holds the pod.
    PodView view;                        // Listed after the last step that has changed something.
    uint64_t objects_revision = 0;       // Changes with every ConfigMap, Secret or pod object.
  };
  struct Outcome {
    absl::Time next_step = absl::InfiniteFuture();
    bool changed = false;  // The runtime was told to do something: list again before the next step.
    bool gone = false;     // Nothing of the pod is left on this box.
    PodStatus status;
    std::string status_json;
  };

  PodWorker(WorkerDeps& deps, const std::string& uid, std::optional<PodCheckpoint> checkpoint);

  Outcome Step(const Input& input);

 private:
  // Its times are the monotonic clock's.
  struct Stop {
    absl::Duration deadline;
    int calls = 0;  // In flight: a shorter grace adds one.
    // All calls have ended. What the runtime lists after that decides whether it is to be tried
    // again, and when.
    bool ended = false;
    absl::Duration retry_at = -absl::InfiniteDuration();
  };
  // A failed attempt is not repeated before `until`, unless an object has changed since.
  struct Hold {
    absl::Time until = absl::InfinitePast();
    uint64_t objects_revision = 0;
  };
  struct Pull {
    bool running = false, done = false;
    Backoff backoff;
    absl::Duration began;  // By the monotonic clock.
    absl::Time failed_at = absl::InfinitePast(), next_attempt = absl::InfinitePast();
    std::string error;
  };
  // What was last told of a container, or ("") of the pod.
  struct Told {
    std::string text;
    absl::Duration again;  // By the monotonic clock.
  };

  void DrainMailbox();
  void ForgetStops(Outcome& outcome);
  // Asks for a step that runs `apply` first.
  void Mail(absl::AnyInvocable<void(PodWorker&)> apply);

  PodGoal Goal(const Input& input, const PodStatus& status) const;
  PodStatus Compute(const Input& input, const PodView& view) const;
  void ReadEnds(const Input& input, PodView& view);
  void ObserveProbes(const PodSpec& pod, const PodView& view);
  void RunProbes(const PodSpec& pod, const PodView& view);
  void Save(const Input& input, Outcome& outcome);
  void Finish(const Input& input, Outcome& outcome);
  int InFlight() const;
  void Perform(const Input& input, const PodView& view, const PodActions& actions,
               Outcome& outcome);
  void PerformRemovals(const Input& input, const PodActions& actions, Outcome& outcome);

  void Kill(const Input& input, const PodView& view, const KillContainer& kill);
  void StopAfterHook(const std::string& id, absl::Duration grace);
  // True: not yet, and the outcome says when.
  bool Held(const std::string& what, const Input& input, Outcome& outcome) const;
  void HoldBack(const std::string& what, absl::Duration pause, const Input& input,
                Outcome& outcome);
  void CreateSandbox(const Input& input, const PodActions& actions, Outcome& outcome);
  absl::Status RunSandbox(const PodSpec& pod, const PodActions& actions);
  std::string CgroupOf(const PodSpec& pod) const;
  SandboxConfig MakeSandboxConfig(const PodSpec& pod, uint32_t attempt) const;

  void Start(const Input& input, const PodView& view, const std::string& name, Outcome& outcome);
  // The image's id; nullopt: not yet, and facts say why.
  std::optional<ImageView> EnsureImage(const Input& input, const PodView& view,
                                       const ContainerSpec& container, Outcome& outcome);
  void BeginPull(const PodSpec& pod, const ContainerSpec& container, Pull& pull);
  void EndPull(const EventTarget& about, const std::string& image, const absl::Status& status);
  absl::StatusOr<ContainerConfig> MakeContainerConfig(const Input& input, const PodView& view,
                                                      const ContainerSpec& container,
                                                      const ImageView& image, int32_t restart);
  absl::Status AddMounts(const Input& input, const PodView& view, const ContainerSpec& container,
                         int32_t restart, const Environment& environment, ContainerConfig& config);
  void RunPostStart(const PodSpec& pod, const ContainerSpec& container, const std::string& id,
                    const PodView& view);
  void RefreshVolumes(const Input& input, const PodView& view);
  void Wait(const PodSpec& pod, const std::string& container, absl::string_view reason,
            absl::string_view message);
  // Whether `text` is to be told: it is new of `what`, or was told five minutes ago. The API
  // forgets events after an hour, however long their cause goes on.
  bool IsNews(const std::string& what, absl::string_view text);
  void TellWaiting(const EventTarget& about, const std::string& image, absl::string_view reason,
                   absl::string_view message);
  void TellCrashBackOff(const PodSpec& pod, const std::string& container,
                        absl::string_view message);
  void TellPodFailure(const PodSpec& pod, absl::string_view reason, const absl::Status& status);
  void RetryAt(absl::Time at, Outcome& outcome) const {
    outcome.next_step = std::min(outcome.next_step, at);
  }

  PodPlace PlaceOf(const PodView& view) const;
  int64_t GraceSeconds(const Input& input) const;

  WorkerDeps& deps_;
  const std::string uid_;
  log::Logger log_;

  std::optional<PodStatus> previous_;
  std::string saved_json_;
  std::map<std::string, Backoff> crashes_, saved_crashes_;
  std::map<std::string, ContainerFacts> facts_;
  bool stop_ended_ = false;            // Since the last step: the view is older than that.
  std::map<std::string, Stop> stops_;  // By container id.
  std::map<std::string, Pull> pulls_;  // By image.
  std::map<std::string, std::string> unhealthy_;  // Container ids to restart, and why.
  std::map<std::string, std::string> messages_;   // Termination messages by container id.
  Prober prober_;
  absl::Duration sandbox_backoff_ = absl::ZeroDuration();
  std::map<std::string, Hold> holds_;  // By container; "" is the sandbox's.
  std::map<std::string, Told> told_;   // By container; "" and "/sandbox" are the pod's.
  absl::Time removal_next_ = absl::InfinitePast();
  uint64_t refreshed_revision_ = 0;
  std::string forced_phase_, forced_reason_, forced_message_;

  absl::Mutex mailbox_mutex_;
  std::vector<absl::AnyInvocable<void(PodWorker&)>> mailbox_ ABSL_GUARDED_BY(mailbox_mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_WORKER_H_
